"""Serialize reports for the API, the command and exports."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch

from bugreports.models import BugReport, BugReportContext, BugReportEvent
from bugreports.querysets import BugReportQuerySet
from common.timestamps import format_timestamp

_HEAVY = ("context__recent_logs", "context__network_events", "context__redactions", "context__dropped")


def prefetch_summary(reports: BugReportQuerySet) -> BugReportQuerySet:
    """Load all that `serialize_summary` reads in one query."""
    has_events = Exists(BugReportEvent.objects.filter(report=OuterRef("pk")))
    related = ("context", "screenshot", "assignee", "duplicate_of")
    return reports.select_related(*related).defer(*_HEAVY).annotate(has_events=has_events)


def prefetch_detail(reports: BugReportQuerySet) -> BugReportQuerySet:
    related = ("context", "screenshot", "assignee", "duplicate_of")
    return reports.select_related(*related).prefetch_related(Prefetch("events", BugReportEvent.objects.order_by("pk")))


def serialize_summary(report: Any) -> dict[str, Any]:
    context: BugReportContext | None = getattr(report, "context", None)
    screenshot = getattr(report, "screenshot", None)
    has_events = getattr(report, "has_events", None)
    return {
        "report_id": report.report_id,
        "trace_id": report.trace_id,
        "submitted_by": report.submitted_by,
        "submitted_at": format_timestamp(report.submitted_at),
        "description": report.description,
        "expected_behavior": report.expected_behavior,
        "actual_behavior": report.actual_behavior,
        "steps_to_reproduce": report.steps_to_reproduce,
        "status": report.status,
        "automation_attempts": report.automation_attempts,
        "screenshot_path": screenshot.key if screenshot else None,
        "screenshot_url": f"/api/bug-reports/{report.report_id}/screenshot" if screenshot else None,
        "screenshot_error": report.screenshot_error,
        "resolution_notes": report.resolution_notes,
        "resolution_commit_sha": report.resolution_commit_sha,
        "resolution_actor_id": report.resolution_actor_id,
        "resolution_kind": report.resolution_kind,
        "priority": report.priority,
        "assignee": report.assignee.email if report.assignee else None,
        "duplicate_of": report.duplicate_of.report_id if report.duplicate_of else None,
        "fingerprint": report.fingerprint,
        "occurrence_count": report.occurrence_count,
        "triaged_at": _timestamp(report.triaged_at),
        "resolved_at": _timestamp(report.resolved_at),
        "retain": report.retain,
        "redaction_count": report.redaction_count,
        "purge_after": _timestamp(report.purge_after(settings.BUGREPORTS_RETENTION_DAYS)),
        "created_at": format_timestamp(report.created_at),
        "updated_at": format_timestamp(report.updated_at),
        "environment": context.environment if context else {},
        "client_meta": context.client_meta if context else {},
        "app_state": context.app_state if context else {},
        "has_recent_logs": report.has_recent_logs,
        "has_network_events": report.has_network_events,
        "has_events": report.events.exists() if has_events is None else has_events,
    }


def serialize_detail(report: BugReport) -> dict[str, Any]:
    context: BugReportContext | None = getattr(report, "context", None)
    events = [serialize_event(event) for event in report.events.all()]
    report.has_events = bool(events)  # type: ignore[attr-defined]
    return serialize_summary(report) | {
        "recent_logs": context.recent_logs if context else [],
        "network_events": context.network_events if context else [],
        "events": events,
    }


def serialize_event(event: BugReportEvent) -> dict[str, Any]:
    return {
        "event_type": event.event_type,
        "event_data": event.event_data,
        "actor_id": event.actor_id,
        "actor_type": event.actor_type,
        "timestamp": format_timestamp(event.happened_at),
    }


def _timestamp(value: datetime | None) -> str | None:
    return format_timestamp(value) if value else None
