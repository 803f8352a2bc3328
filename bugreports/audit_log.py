"""Audit log of reports. Each triage function writes its events in its own transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bugreports.models import BugReport, BugReportEvent
from bugreports.statuses import CLOSED


@dataclass(frozen=True)
class Actor:
    """A user by e-mail, a program by name, or the registry itself."""

    name: str | None
    kind: str = BugReportEvent.ActorType.USER


SYSTEM = Actor(None, BugReportEvent.ActorType.SYSTEM)

_FOLLOWED = (
    "status", "priority", "resolution_kind", "resolution_notes", "resolution_commit_sha", "retain", "retain_reason",
)  # fmt: skip


def tracked_fields(report: BugReport) -> dict[str, Any]:
    """Return the fields staff may change. Load `assignee` and `duplicate_of` first to avoid queries."""
    return {name: getattr(report, name) for name in _FOLLOWED} | {
        "assignee": report.assignee.email if report.assignee else None,
        "duplicate_of": report.duplicate_of.report_id if report.duplicate_of else None,
    }


def build_event(
    report: BugReport, event_type: str, data: dict[str, Any], *, by: Actor, now: datetime
) -> BugReportEvent:
    """Return an unsaved event."""
    return BugReportEvent(
        report=report, event_type=event_type, event_data=data, actor_id=by.name, actor_type=by.kind, happened_at=now
    )


def build_change_event(
    report: BugReport, event_type: str, before: dict[str, Any], *, by: Actor, now: datetime, **more: Any
) -> BugReportEvent:
    """Return an unsaved event with the changed fields before and after."""
    after = tracked_fields(report)
    changed = [name for name in after if after[name] != before[name]]
    data: dict[str, Any] = {}
    if "status" in changed:
        data |= {"from": before["status"], "to": after["status"]}
        if report.status in CLOSED and report.resolution_kind:
            data["resolution_kind"] = report.resolution_kind
    data |= {"before": {name: before[name] for name in changed}, "after": {name: after[name] for name in changed}}
    return build_event(report, event_type, data | more, by=by, now=now)


def save_events(entries: list[BugReportEvent]) -> None:
    BugReportEvent.objects.bulk_create(entries)
