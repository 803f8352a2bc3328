"""Admin of backfill runs."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.decorators import action

from backfills import queueing
from backfills.admin.forms import PlanForm
from backfills.admin.ledger import row_link
from backfills.models import BackfillRun
from backfills.progress import run_progress
from backfills.rules import get_rule
from backfills.run_control import CONTROL
from common.errors import NotFound, RegistryError
from jobs.admin.runs import RunAdmin


@admin.register(BackfillRun)
class BackfillRunAdmin(RunAdmin):
    control = CONTROL
    queueing = queueing
    row_errors_url_name = "admin:backfills_backfillrowerror_changelist"
    list_filter = ("rule_name", "state")
    search_fields = ("rule_name", "reason", "requested_by")
    actions_list = ("open_plan", "open_pause_all")

    def get_urls(self) -> list[URLPattern]:
        plan = path("plan/", self.admin_site.admin_view(self.plan_view), name=self._url_name("plan"))
        return [plan, *super().get_urls()]

    @action(description="Plan a run", url_path="new", icon="edit_note", permissions=["control"])
    def open_plan(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self._reverse("plan"))

    def plan_view(self, request: HttpRequest) -> HttpResponse:
        self._require_permission(request, "control")
        form = PlanForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                pk = queueing.request_plan(
                    data["rule"], parameters=data["parameters"], reason=data["reason"], by=request.user.email,
                    now=timezone.now(), batch_size=data["batch_size"], sleep_ratio=data["sleep_ratio"],
                )  # fmt: skip
            except RegistryError as error:
                form.add_registry_error(error)
            else:
                return HttpResponseRedirect(self._reverse("change", pk))
        return self._page(request, "form", title="Plan a run", form=form, submit="Make plan")

    def progress_document(self, run: BackfillRun) -> dict[str, Any]:
        return run_progress(run, timezone.now())

    def row_link(self, run: BackfillRun, row_pk: int, label: str = "") -> str:
        return row_link(run.rule_name, row_pk, label)

    def run_heading(self, run: BackfillRun) -> str:
        try:
            return get_rule(run.rule_name).title
        except NotFound:
            return f"{run.rule_name} (no longer registered)"
