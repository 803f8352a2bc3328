"""Template context of the page of one report."""

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.forms import Form
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from bugreports.admin.actions import ACTIONS, TriageAction
from bugreports.admin.queues import TITLES
from bugreports.exports import as_markdown
from bugreports.models import BugReport
from bugreports.queues import queue_reports
from bugreports.related import find_related, occurrences
from bugreports.timeline import build_timeline, failed_requests

_HISTORY_SHOWN = 200
# Report text can neither load nor send anything outside this host. The admin's own scripts need unsafe-eval.
CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none';"
    " script-src 'self' 'unsafe-inline' 'unsafe-eval'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def page_context(request: HttpRequest, report: BugReport) -> dict[str, Any]:
    context = getattr(report, "context", None)
    logs, requests = (context.recent_logs, context.network_events) if context else ([], [])
    here = request.build_absolute_uri(report_url(report))
    name = queue_name(request)
    return {
        "report": report,
        "context": context,
        "screenshot": getattr(report, "screenshot", None),
        "timeline": build_timeline(logs, requests),
        "failed": failed_requests(requests),
        "history": list(report.events.order_by("-pk")[:_HISTORY_SHOWN]),
        "duplicates": occurrences(report),
        "related": find_related(report),
        "actions": [
            {"action": action, "form": _action_form(action, report)}
            for action in ACTIONS.values()
            if action.applies(report) and action.is_allowed(request)
        ],
        "copies": [
            ("link", here), ("id", report.report_id), ("trace id", report.trace_id or ""),
            ("as Markdown", f"{as_markdown(report)}\n{here}\n"),
        ],
        "log_url": _log_url(report),
        "purge_after": report.purge_after(settings.BUGREPORTS_RETENTION_DAYS),
        "queue": name,
        "queue_title": TITLES.get(name, ""),
        "next": next_in_queue(request, report, name) if name else None,
    }  # fmt: skip


def report_url(report: BugReport) -> str:
    return reverse("admin:bugreports_bugreport_change", args=[report.pk])


def queue_name(request: HttpRequest) -> str:
    name = request.POST.get("queue") or request.GET.get("queue") or ""
    return name if name in TITLES else ""


def next_in_queue(request: HttpRequest, report: BugReport, name: str) -> BugReport | None:
    """Return the next report in the queue, or the first one after the last."""
    waiting = (
        queue_reports(name, request.user, timezone.now())
        .exclude(pk=report.pk)
        .only("pk")
        .order_by("-last_seen_at", "-pk")
    )
    return waiting.filter(last_seen_at__lte=report.last_seen_at).first() or waiting.first()


def _action_form(action: TriageAction, report: BugReport) -> Form:
    initial = {"priority": report.priority or "", "assignee": report.assignee_id}
    return action.form(auto_id=f"{action.name}_%s", initial=initial)


def _log_url(report: BugReport) -> str:
    """Return the log search URL for the trace id, or an empty text if BUGREPORTS_LOG_SEARCH_URL is not set."""
    template = settings.BUGREPORTS_LOG_SEARCH_URL
    return template.replace("{trace_id}", quote(report.trace_id, safe="")) if template and report.trace_id else ""
