"""Merge duplicate reports and unmerge them.

A duplicate points to a report that is no duplicate, so there are no chains and no cycles: the duplicates of a merged
report are moved to the new canonical report. The audit log records these moves, so that they can be undone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from bugreports.audit_log import Actor, build_change_event, build_event, save_events, tracked_fields
from bugreports.errors import InvalidDuplicateLink, StaleReport
from bugreports.filters import get_report
from bugreports.models import BugReport, BugReportEvent, BugReportGroup
from bugreports.row_locks import acquire_merge_lock, lock_reports, lock_rows
from bugreports.statuses import CLOSED, DUPLICATE, OPEN, RESOLVED

MERGED, UNMERGED = "merged", "unmerged"
RECEIVED, LEFT = "duplicate_received", "duplicate_left"


@transaction.atomic
def merge(report_ids: Sequence[str], into: str, *, by: Actor, now: datetime, version: int | None = None) -> int:
    """Close reports as duplicates of `into`, or of its canonical report. Return the number of changed reports.

    Raises ReportNotFound, StaleReport, InvalidDuplicateLink.
    """
    acquire_merge_lock()
    target = get_report(into)
    canonical_pk = target.duplicate_of_id or target.pk
    named = list(BugReport.objects.filter(report_id__in=report_ids).values_list("pk", "duplicate_of_id"))
    wanted = {pk for pk, _ in named} | {canonical for _, canonical in named if canonical} | {canonical_pk}
    followers = BugReport.objects.filter(duplicate_of__in=[pk for pk, _ in named]).values_list("pk", flat=True)
    lock_rows(wanted | set(followers), with_groups=True)
    reports = lock_reports(report_ids, version=version)
    canonical = next((report for report in reports if report.pk == canonical_pk), None)
    if canonical is not None:
        raise InvalidDuplicateLink(
            "A report cannot be a duplicate of itself" if canonical.report_id == into
            else f"{into} is a duplicate of {canonical.report_id} already; the other way round would be a circle"
        )  # fmt: skip
    canonical = lock_rows({canonical_pk}, with_groups=False)[0]
    if canonical.duplicate_of_id:
        raise StaleReport(f"{into} became a duplicate meanwhile; look at it again")
    entries: list[BugReportEvent] = []
    merged = [report for report in reports if report.duplicate_of_id != canonical_pk]
    merged.sort(
        key=lambda report: report.duplicate_of_id is None
    )  # duplicates first, before their canonical report moves
    for report in merged:
        entries += _merge_one(report, canonical, by=by, now=now)
    if merged:
        canonical.save_new_version(now)
    save_events(entries)
    return len(merged)


def _merge_one(report: BugReport, canonical: BugReport, *, by: Actor, now: datetime) -> list[BugReportEvent]:
    before, was_triaged = tracked_fields(report), report.triaged_at is not None
    entries = detach_duplicate(report, by=by, now=now) if report.duplicate_of else []
    followers = BugReport.objects.filter(duplicate_of=report)
    moved: dict[str, Any] = {
        "into": canonical.report_id,
        "moved_reports": list(followers.order_by("pk").values_list("report_id", flat=True)),
        "moved_fingerprints": list(report.canonical_for_groups.order_by("pk").values_list("fingerprint", flat=True)),
        "was_triaged": was_triaged,
    }
    followers.update(duplicate_of=canonical)
    report.canonical_for_groups.update(canonical_report=canonical)
    canonical.occurrence_count += report.occurrence_count
    canonical.last_seen_at = max(canonical.last_seen_at, report.last_seen_at)
    report.transition_to(RESOLVED, now, kind=DUPLICATE)
    report.duplicate_of = canonical
    if by.name is not None:
        report.resolution_actor_id = by.name
    report.save_new_version(now)
    return [
        *entries,
        build_change_event(report, MERGED, before, by=by, now=now, **moved),
        build_event(canonical, RECEIVED, {"report_id": report.report_id}, by=by, now=now),
    ]


@transaction.atomic
def unmerge(report_ids: Sequence[str], *, by: Actor, now: datetime, version: int | None = None) -> int:
    """Restore the status and the links from before the merge. Return the number of changed reports."""
    acquire_merge_lock()
    entries: list[BugReportEvent] = []
    changed = 0
    for report in lock_reports(report_ids, version=version):
        if not report.duplicate_of:
            continue
        before, merging = tracked_fields(report), _last_merge(report)
        entries += detach_duplicate(report, by=by, now=now)
        earlier = merging["before"] if merging else {}
        report.duplicate_of = None
        report.status = earlier.get("status", OPEN)
        report.resolution_kind = earlier.get("resolution_kind")
        report.resolved_at = (report.resolved_at or now) if report.status in CLOSED else None
        if not (merging and merging.get("was_triaged")):
            report.triaged_at = None  # the merge was the only triage
        report.save_new_version(now)
        entries.append(build_change_event(report, UNMERGED, before, by=by, now=now))
        changed += 1
    save_events(entries)
    return changed


def detach_duplicate(report: BugReport, *, by: Actor, now: datetime) -> list[BugReportEvent]:
    """Undo what a merge moved to the canonical report; both rows are locked. Return unsaved events.

    The caller sets the report's own fields.
    """
    canonical = report.duplicate_of
    if canonical is None:
        return []
    if merging := _last_merge(report):
        back = BugReport.objects.filter(report_id__in=merging["moved_reports"], duplicate_of=canonical)
        back.update(duplicate_of=report)
        BugReportGroup.objects.filter(fingerprint__in=merging["moved_fingerprints"], canonical_report=canonical).update(
            canonical_report=report
        )
    canonical.occurrence_count = max(canonical.occurrence_count - report.occurrence_count, 1)
    canonical.save(update_fields=["occurrence_count"])
    return [build_event(canonical, LEFT, {"report_id": report.report_id}, by=by, now=now)]


def _last_merge(report: BugReport) -> dict[str, Any] | None:
    """Return the data of the last merge event; None if the report was submitted as a duplicate."""
    merging = report.events.filter(event_type__in=[MERGED, UNMERGED]).order_by("-pk").first()
    return merging.event_data if merging and merging.event_type == MERGED else None
