"""Runs for staff: plan one, start it, watch it, steer it, undo it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from backfills import queueing
from backfills.admin.actions import ACTIONS, CONFIRMED_ACTIONS, UNDO_ACTIONS, run_action
from backfills.admin.forms import AdjustForm, HoldForm, PlanForm
from backfills.admin.page_context import confirmation, run_page
from backfills.models import BackfillRun
from backfills.progress import run_progress, throughput
from backfills.run_control import adjust, global_pause, pause_all, resume_all
from common.errors import RegistryError
from common.model_admin import ReadOnlyModelAdmin

_LABELS = {
    "planned": "info", "running": "warning", "pausing": "warning", "paused": "warning", "cancelling": "warning",
    "cancelled": "danger", "failed": "danger", "finished": "success", "finalised": "success", "undoing": "warning",
    "undone": "info",
}  # fmt: skip


@admin.register(BackfillRun)
class BackfillRunAdmin(ReadOnlyModelAdmin):
    list_display = ("title", "shown_state", "progress", "failed_rows", "requested_by", "created_at")
    list_filter = ("rule_name", "state")
    search_fields = ("rule_name", "reason", "requested_by")
    fields = ()
    actions_list = ("open_plan", "open_hold")
    change_form_template = "admin/backfills/run.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("plan/", view(self.plan_view), name="backfills_backfillrun_plan"),
            path("hold/", view(self.hold_view), name="backfills_backfillrun_hold"),
            path("<int:pk>/figures/", view(self.figures_view), name="backfills_backfillrun_figures"),
            path("<int:pk>/do/<str:verb>/", view(self.verb_view), name="backfills_backfillrun_do"),
            path("<int:pk>/adjust/", view(self.adjust_view), name="backfills_backfillrun_adjust"),
            *super().get_urls(),
        ]

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("backfills.steer_backfillrun")

    @action(description="Plan a run", url_path="new", icon="edit_note", permissions=["steer"])
    def open_plan(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:backfills_backfillrun_plan"))

    @action(description="Hold all runs", url_path="hold-all", icon="front_hand", permissions=["steer"])
    def open_hold(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:backfills_backfillrun_hold"))

    def plan_view(self, request: HttpRequest) -> HttpResponse:
        self._demand(request, "steer")
        form = PlanForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            wish = form.cleaned_data
            try:
                pk = queueing.request_plan(
                    wish["rule"], parameters=wish["parameters"], reason=wish["reason"], by=request.user.email,
                    now=timezone.now(), batch_size=wish["batch_size"], sleep_ratio=wish["sleep_ratio"],
                )  # fmt: skip
            except RegistryError as error:
                form.add_refusal(error)
            else:
                return HttpResponseRedirect(reverse("admin:backfills_backfillrun_change", args=[pk]))
        return self._page(request, "form", title="Plan a run", form=form, submit="Make the plan")

    def hold_view(self, request: HttpRequest) -> HttpResponse:
        self._demand(request, "steer")
        hold = global_pause()
        form = HoldForm(request.POST or None)
        if request.method == "POST" and hold:
            resume_all()
            messages.success(request, "Runs go on.")
            return self._back_to_list()
        if request.method == "POST" and form.is_valid():
            try:
                pause_all(by=request.user.email, reason=form.cleaned_data["reason"], now=timezone.now())
            except RegistryError as error:
                form.add_refusal(error)
            else:
                messages.success(request, "All runs are held after their batch.")
                return self._back_to_list()
        title = "Let held runs go on" if hold else "Hold all runs"
        return self._page(
            request, "form", title=title, form=None if hold else form, hold=hold, submit="Release" if hold else "Hold"
        )

    def verb_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """A button of the run's page. What cannot be taken back lightly asks once more, with the counts."""
        run = get_object_or_404(BackfillRun, pk=pk)
        back = HttpResponseRedirect(reverse("admin:backfills_backfillrun_change", args=[pk]))
        if verb not in ACTIONS:
            return back
        self._demand(request, "undo" if verb in UNDO_ACTIONS else "steer")
        is_question = request.method == "GET" and verb in CONFIRMED_ACTIONS
        if request.method != "POST" and not is_question:
            return HttpResponseNotAllowed(["POST"])
        try:
            if is_question:
                return self._page(request, "confirm", **confirmation(run, verb, timezone.now()))
            run_action(run, verb, by=request.user.email, now=timezone.now())
        except RegistryError as error:
            messages.error(request, error.message)
        return back

    def adjust_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._demand(request, "steer")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = AdjustForm(request.POST)
        try:
            if form.is_valid():
                adjust(pk, by=request.user.email, now=timezone.now(), **form.cleaned_data)
                messages.success(request, "Taken from the next batch on.")
            else:
                messages.error(request, "; ".join(f"{name}: {' '.join(said)}" for name, said in form.errors.items()))
        except RegistryError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(reverse("admin:backfills_backfillrun_change", args=[pk]))

    def figures_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(BackfillRun, pk=pk)
        batches = render_to_string("admin/backfills/batches.html", {"batches": run.batches.all()[:12]})
        figures = run_progress(run, timezone.now())
        return JsonResponse(
            {**figures, "isPlanned": bool(run.planned_at), "bars": throughput(run), "batchesHtml": batches}
        )

    def _demand(self, request: HttpRequest, what: str) -> None:
        if not request.user.has_perm(f"backfills.{what}_backfillrun"):
            raise PermissionDenied

    def _page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, f"admin/backfills/{template}.html", {**shared, **context})

    def _back_to_list(self) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:backfills_backfillrun_changelist"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        panel = run_page(run, request.user, timezone.now()) if run else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **panel})

    @display(description="Run")
    def title(self, run: BackfillRun) -> str:
        return str(run)

    @display(description="State", label=_LABELS, ordering="state")
    def shown_state(self, run: BackfillRun) -> str:
        return run.state

    @display(description="Progress")
    def progress(self, run: BackfillRun) -> SafeString:
        done, total = run.rows_done, run.total_rows
        return format_html(
            '<progress max="{}" value="{}" aria-label="done"></progress> {} of {}', total or 1, done, done, total
        )
