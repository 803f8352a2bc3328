"""The page of the staged rollout, its dialog for a new stage and its button that turns a flag off."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.forms import BaseDialogForm

from common.errors import RegistryError
from flags.admin.forms import ReasonField
from flags.registry import GATED_FIELDS_BY_FLAG
from flags.rollout import list_rollouts, set_stage
from flags.stages import Stage, stages_for

PAGE = "admin:flags_rollout"
QUICK_DISABLE_REASON = "Switched off by one click on the rollout page"

_DESCRIPTIONS = {
    Stage.OFF: "Off for everyone. Values that clients sent stay stored.",
    Stage.STAFF: "On for staff and for individually targeted users and groups.",
    Stage.EVERYONE: "On for everyone, also for anonymous callers.",
}


class StageForm(BaseDialogForm):
    reason = ReasonField(label="Reason")


def rollout_page(page: ModelAdmin, request: HttpRequest) -> HttpResponse:
    if not page.has_view_permission(request):
        raise PermissionDenied
    context = {
        **page.admin_site.each_context(request),
        "title": "Staged rollout",
        "opts": page.opts,
        "rollouts": list_rollouts(),
        "can_change": page.has_change_permission(request),
    }
    return TemplateResponse(request, "admin/flags/rollout.html", context)


def stage_dialog(page: ModelAdmin, request: HttpRequest, name: str, stage: str) -> HttpResponse:
    """Show the dialog for the reason, or set the stage if the dialog was submitted."""
    _check_change_permission(page, request)
    if name not in GATED_FIELDS_BY_FLAG or stage not in stages_for(name):
        raise Http404
    target = Stage(stage)
    form = StageForm(data=request.POST or None, request=request)
    if form.is_valid():
        _set_stage(page, request, name, target, form.cleaned_data["reason"])
        # HTMX follows this header; it would show a redirect inside the dialog.
        return HttpResponse(headers={"HX-Redirect": reverse(PAGE)})
    dialog = {"title": f"{name}: {target.label}", "description": _stage_description(name, target)}
    context = {"dialog": dialog, "form": form, "form_submit_text": f"Set to {target.label}"}
    return render(request, "unfold/helpers/dialog.html", context)


def disable_flag(page: ModelAdmin, request: HttpRequest, name: str) -> HttpResponse:
    """Turn a flag off with one click. The reason is fixed, because an emergency leaves no time to type one."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    _check_change_permission(page, request)
    _set_stage(page, request, name, Stage.OFF, QUICK_DISABLE_REASON)
    return HttpResponseRedirect(reverse(PAGE))


def _stage_description(name: str, stage: Stage) -> str:
    field = GATED_FIELDS_BY_FLAG[name]
    if not field.is_targetable:
        return field.description
    return _DESCRIPTIONS.get(
        stage, f"On for staff, {stage.label} of users and services, and individually targeted users and groups."
    )


def _check_change_permission(page: ModelAdmin, request: HttpRequest) -> None:
    if not page.has_change_permission(request):
        raise PermissionDenied


def _set_stage(page: ModelAdmin, request: HttpRequest, name: str, stage: Stage, reason: str) -> None:
    try:
        change = set_stage(name=name, stage=stage, by=request.user, reason=reason, now=timezone.now())
    except RegistryError as error:
        page.message_user(request, error.message, messages.ERROR)
        return
    if change is None:
        page.message_user(request, f"{name} is at {stage.label} already.", messages.WARNING)
    else:
        page.message_user(request, f"{name} is at {stage.label} now.", messages.SUCCESS)
