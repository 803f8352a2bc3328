"""Match a new report to an existing group. A match to a resolved group reopens it as a regression."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F
from django.db.models.functions import Greatest

from bugreports.audit_log import SYSTEM, build_change_event, build_event, tracked_fields
from bugreports.fingerprint import ErrorSignature
from bugreports.models import BugReport, BugReportEvent, BugReportGroup
from bugreports.notifications import enqueue_webhook
from bugreports.statuses import DUPLICATE, OPEN, RESOLVED

RECURRED = "recurred"
REGRESSED = "regressed"


@dataclass(frozen=True)
class GroupMatch:
    """The group of a new report and the change of its canonical report."""

    group: BugReportGroup | None = None
    canonical_report: BugReport | None = None
    is_regression: bool = False
    entries: list[BugReportEvent] = field(default_factory=list)

    def apply(self, report: BugReport, *, now: datetime) -> list[BugReportEvent]:
        """Set the group's canonical report after `report` is stored. Return unsaved events."""
        if self.group and not self.canonical_report:
            BugReportGroup.objects.filter(pk=self.group.pk).update(canonical_report=report)
        if not self.canonical_report:
            return []
        entries = [build_event(self.canonical_report, RECURRED, {"report_id": report.report_id}, by=SYSTEM, now=now)]
        if self.is_regression:
            enqueue_webhook(REGRESSED, self.canonical_report, now=now)
        return [*entries, *self.entries]


def assign_to_group(report: BugReport, problem: ErrorSignature | None, *, now: datetime) -> GroupMatch:
    """Set the group of an unsaved report. A report of a known problem is closed as a duplicate.

    Locks the group row, so that of two concurrent first reports one becomes the canonical report.
    """
    if problem is None:
        return GroupMatch()
    report.fingerprint = problem.fingerprint
    BugReportGroup.objects.bulk_create(
        [BugReportGroup(fingerprint=problem.fingerprint, first_seen_at=now, last_seen_at=now)], ignore_conflicts=True
    )
    group = BugReportGroup.objects.select_for_update().get(fingerprint=problem.fingerprint)
    BugReportGroup.objects.filter(pk=group.pk).update(
        seen_count=F("seen_count") + 1, last_seen_at=Greatest(F("last_seen_at"), now)
    )
    report.group = group
    canonical = (
        BugReport.objects.select_for_update(of=("self",)).filter(pk=group.canonical_report_id).first()
        if group.canonical_report_id
        else None
    )
    if canonical is None:
        return GroupMatch(group)
    canonical.occurrence_count += 1
    canonical.last_seen_at = max(canonical.last_seen_at, now)
    report.duplicate_of, report.status, report.resolution_kind = canonical, RESOLVED, DUPLICATE
    report.resolved_at = report.triaged_at = now
    is_regression = canonical.status == RESOLVED
    entries = []
    if is_regression:
        before = tracked_fields(canonical)
        canonical.transition_to(OPEN, now)
        canonical.regressed_at = now
        canonical.save_new_version(now)
        entries = [build_change_event(canonical, REGRESSED, before, by=SYSTEM, now=now, report_id=report.report_id)]
    else:
        canonical.save(update_fields=["occurrence_count", "last_seen_at"])
    return GroupMatch(group, canonical, is_regression, entries)
