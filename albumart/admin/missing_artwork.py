"""The page that previews and starts runs for missing artwork. The run itself has a page of backfills."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from albumart.metrics import cohorts_metrics, recent_cohorts
from albumart.missing_artwork import FetchPlan, plan_missing_artwork
from albumart.runs import request_run
from common.errors import RegistryError
from common.reasons import MAX_REASON_LENGTH

_MAX_SHOWN = 20
_MAX_PLANNED_SONGS = 1000  # about 0.1 s; the page previews these, a worker checks all


class StartForm(forms.Form):
    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget(), help_text="Unique name of the run.")
    reason = forms.CharField(max_length=MAX_REASON_LENGTH, required=False, widget=UnfoldAdminTextInputWidget())


def handle_missing_artwork(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show a new plan of the first songs; request a run by POST. A worker checks all songs and starts it."""
    may_start = request.user.has_perm("backfills.control_backfillrun")
    if request.method == "POST" and not may_start:
        raise PermissionDenied
    plan = plan_missing_artwork(max_songs=_MAX_PLANNED_SONGS)
    now = timezone.now()
    form = StartForm(request.POST or None, initial={"name": f"Missing artwork {now:%Y-%m-%d %H:%M}"})
    if request.method == "POST" and form.is_valid():
        try:
            cohort = request_run(plan, by=request.user.email, now=now, **form.cleaned_data)
        except RegistryError as error:
            form.add_error("name" if error.field_errors else None, error.message)
        else:
            messages.success(request, "A worker starts the run.")
            return HttpResponseRedirect(reverse("admin:backfills_backfillrun_change", args=[cohort.run_id]))
    page = {**_plan_context(plan), "form": form if may_start else None, "cohorts": _cohorts()}
    return TemplateResponse(request, "admin/albumart/plan.html", context | page)


def _plan_context(plan: FetchPlan) -> dict[str, Any]:
    return {
        "title": "Missing artwork",
        "plan": plan,
        "shown": plan.requests[:_MAX_SHOWN],
        "without_url": plan.without_url[:_MAX_SHOWN],
        "host_not_allowed": plan.host_not_allowed[:_MAX_SHOWN],
        "by_source": plan.requests_by_source.most_common(),
    }


def _cohorts() -> list[dict[str, Any]]:
    cohorts = recent_cohorts()
    return [
        {**metrics, "pk": cohort.pk, "run": cohort.run}
        for cohort, metrics in zip(cohorts, cohorts_metrics(cohorts), strict=True)
    ]
