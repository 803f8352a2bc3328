"""Admin list of reports with queues and bulk actions, and the page of one report."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Value
from django.db.models.functions import Left
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import action as admin_action
from unfold.decorators import display

from bugreports.admin.actions import ACTIONS, ActionContext, TriageAction
from bugreports.admin.queues import AssigneeFilter, QueueFilter
from bugreports.admin.report_page import CONTENT_POLICY, next_in_queue, page_context, queue_name, report_url
from bugreports.audit_log import Actor
from bugreports.exports import export_reports
from bugreports.models import BugReport
from bugreports.screenshots import private_headers, read_screenshot
from bugreports.templatetags.bugreports_tags import visible
from common.admin_actions import ConfirmedActionsModelAdmin
from common.errors import NotFound, RegistryError
from common.model_admin import ReadOnlyModelAdmin

_SHOWN_IN_CONFIRMATION = 10
_FIRST_LINE_CHARS = 160
_MAX_WORDS = 8


@admin.register(BugReport)
class BugReportAdmin(ConfirmedActionsModelAdmin, ReadOnlyModelAdmin):
    confirmed_actions = ACTIONS
    confirm_template = "admin/bugreports/confirm.html"
    row_name = "report"
    list_display = ("title", "state", "priority_label", "occurrences", "last_seen", "assignee_name", "markers")
    list_display_links = None
    list_filter = (
        QueueFilter,
        ("status", ChoicesDropdownFilter),
        ("priority", ChoicesDropdownFilter),
        AssigneeFilter,
        ("submitted_at", RangeDateTimeFilter),
        "retain",
    )
    search_fields = ("description",)
    search_help_text = "Words of the description, or the start of a report id, trace id or fingerprint, or an e-mail"
    ordering = ("-last_seen_at", "-pk")
    sortable_by = ("last_seen",)
    actions = ("export_json",)

    class Media:
        css = {"all": ["bugreports/reports.css"]}
        js = ["bugreports/list.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BugReport]:
        reports = super().get_queryset(request).select_related("assignee", "screenshot", "duplicate_of")
        return reports.defer("description", "expected_behavior", "actual_behavior").annotate(
            opening=Left("description", 400), queue=Value(queue_name(request))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[BugReport], search_term: str
    ) -> tuple[QuerySet[BugReport], bool]:
        """Match every word, each in any of the searched fields."""
        for word in search_term.split()[:_MAX_WORDS]:
            queryset = queryset.matching(word[:200])
        return queryset, False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/actions/<str:name>/", view(self.action_view), name="bugreports_bugreport_action"),
            path("<int:pk>/screenshot/", view(self.screenshot_view), name="bugreports_bugreport_screenshot"),
            *super().get_urls(),
        ]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_triage_permission(request)

    def has_triage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("bugreports.triage_bugreport")

    def has_purge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("bugreports.purge_bugreport")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        report = self._find(object_id)
        site = {**self.admin_site.each_context(request), "opts": self.opts, "title": report.report_id}
        response = TemplateResponse(request, "admin/bugreports/report.html", site | page_context(request, report))
        response["Content-Security-Policy"] = CONTENT_POLICY
        return response

    def _find(self, pk: str | int) -> BugReport:
        related = ("context", "screenshot", "assignee", "duplicate_of", "group")
        is_number = str(pk).isascii() and str(pk).isdigit() and len(str(pk)) < 19
        report = BugReport.objects.select_related(*related).filter(pk=pk).first() if is_number else None
        if report is None:
            raise Http404("This report does not exist or was deleted")
        return report

    def action_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Perform an action from the page of one report."""
        action, report = self._allowed_action(request, name), self._find(pk)
        queue = queue_name(request)
        url = report_url(report) + _queue_query(queue)
        following = next_in_queue(request, report, queue) if queue and action.closes_report else None
        version = request.POST.get("version", "")
        form = action.form(request.POST)
        if not form.is_valid():
            messages.error(request, _first_error(form))
            return HttpResponseRedirect(url)
        context = ActionContext(Actor(request.user.email), timezone.now(), int(version) if version.isdigit() else None)
        try:
            changed = action.run([report.report_id], form.cleaned_data, context)
        except RegistryError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(url)
        messages.success(request, f"{report.report_id}: {action.past_tense if changed else 'nothing to change'}.")
        if following is not None:
            return HttpResponseRedirect(report_url(following) + _queue_query(queue))
        if action.closes_report and (queue or name == "delete"):
            return HttpResponseRedirect(_list_url(queue))
        return HttpResponseRedirect(url)

    def _allowed_action(self, request: HttpRequest, name: str) -> TriageAction:
        action = ACTIONS.get(name)
        if request.method != "POST" or action is None:
            raise Http404("Unknown action")
        if not action.is_allowed(request):
            raise PermissionDenied
        return action

    def run_confirmed(self, request: HttpRequest, action: TriageAction, pks: list[int], data: dict[str, Any]) -> int:
        """Change all reports in one transaction, or none."""
        ids = list(BugReport.objects.filter(pk__in=pks).values_list("report_id", flat=True))
        return action.run(ids, data, ActionContext(Actor(request.user.email), timezone.now(), None))

    def max_confirmed_rows(self) -> int:
        return settings.BUGREPORTS_MAX_BULK_ROWS

    def confirmation_context(self, request: HttpRequest, pks: list[int]) -> dict[str, Any]:
        shown = BugReport.objects.filter(pk__in=pks).order_by("-last_seen_at")[:_SHOWN_IN_CONFIRMATION]
        return {"shown": shown, "more": len(pks) - len(shown)}

    def bulk_url(self, request: HttpRequest, name: str) -> str:
        return super().bulk_url(request, name) + _queue_query(queue_name(request))

    def list_url(self, request: HttpRequest) -> str:
        return _list_url(queue_name(request))

    @admin_action(description="Export as JSON", permissions=["view"])
    def export_json(self, request: HttpRequest, reports: QuerySet[BugReport]) -> StreamingHttpResponse:
        pks = list(reports.values_list("pk", flat=True)[: settings.BUGREPORTS_MAX_BULK_ROWS])
        chosen = BugReport.objects.filter(pk__in=pks).order_by("-submitted_at", "-pk")
        headers = {"Content-Disposition": 'attachment; filename="bug-reports.json"', "Cache-Control": "no-store"}
        return StreamingHttpResponse(export_reports(chosen), content_type="application/json", headers=headers)

    def screenshot_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        report = self._find(pk)
        try:
            content, content_type = read_screenshot(report)
        except NotFound as error:
            raise Http404(error.message) from error
        except RegistryError as error:
            return HttpResponse(error.message, status=503, content_type="text/plain")
        return HttpResponse(content, content_type=content_type, headers=private_headers(report))

    @display(description="Report")
    def title(self, report: Any) -> SafeString:
        line = next((line.strip() for line in report.opening.splitlines() if line.strip()), "")
        queue = _queue_query(report.queue)
        return format_html(
            '<a class="bug-line" href="{}{}">{}</a><span class="bug-sub">{}{}</span>',
            report_url(report), queue, visible(line[:_FIRST_LINE_CHARS]), report.report_id,
            f", duplicate of {report.duplicate_of.report_id}" if report.duplicate_of else "",
        )  # fmt: skip

    @display(
        description="Status", ordering="status",
        label={"open": "warning", "in progress": "info", "resolved": "success", "regressed": "danger"},
    )  # fmt: skip
    def state(self, report: BugReport) -> str:
        return "regressed" if report.regressed_at else report.status.replace("_", " ")

    @display(description="Priority", ordering="priority", label={"critical": "danger", "high": "warning"})
    def priority_label(self, report: BugReport) -> str:
        return report.priority or "-"

    @display(description="Seen", ordering="occurrence_count")
    def occurrences(self, report: BugReport) -> str:
        return f"\u00d7{report.occurrence_count}"

    @display(description="Last seen", ordering="last_seen_at")
    def last_seen(self, report: BugReport) -> SafeString:
        age = timesince(report.last_seen_at, timezone.now(), depth=1)
        return format_html('<time datetime="{}" title="{}">{} ago</time>', report.last_seen_at.isoformat(),
                           f"{report.last_seen_at:%Y-%m-%d %H:%M} UTC", age)  # fmt: skip

    @display(description="Assignee", ordering="assignee__email")
    def assignee_name(self, report: BugReport) -> str:
        return report.assignee.username if report.assignee else "-"

    @display(description="")
    def markers(self, report: BugReport) -> SafeString:
        markers = (
            ("image", "has a screenshot", getattr(report, "screenshot", None)),
            ("lock", "retained", report.retain),
            ("history_toggle_off", "context expired", report.context_expired_at),
        )
        return format_html_join(
            "",
            '<span class="material-symbols-outlined" role="img" aria-label="{}" title="{}">{}</span>',
            ((label, label, icon) for icon, label, is_shown in markers if is_shown),
        )


def _list_url(queue: str) -> str:
    return reverse("admin:bugreports_bugreport_changelist") + _queue_query(queue)


def _queue_query(queue: str) -> str:
    return f"?queue={queue}" if queue else ""


def _first_error(form: Any) -> str:
    name, messages = next(iter(form.errors.items()))
    return f"{name.replace('_', ' ').capitalize()}: {messages[0]}"
