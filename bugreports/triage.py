"""Triage of reports. Each function locks the rows, validates the transition and writes audit events.

The functions take ids of any number of reports and change all of them or none.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from bugreports.audit_log import Actor, build_change_event, build_event, save_events, tracked_fields
from bugreports.duplicates import detach_duplicate
from bugreports.errors import InvalidStatus, TransitionNotAllowed, UnknownAssignee
from bugreports.models import BugReport, BugReportEvent
from bugreports.row_locks import lock_reports
from bugreports.statuses import DUPLICATE, IGNORED, IN_PROGRESS, OPEN, PRIORITIES, RESOLUTION_KINDS, RESOLVED, STATUSES
from common.errors import InvalidInput
from common.text_validation import clean_text

STATUS_CHANGED, ASSIGNED, PRIORITISED = "status_changed", "assigned", "prioritised"
_TRIAGE_EVENTS = frozenset({ASSIGNED, PRIORITISED})  # these mark the report as triaged
RETAINED, RELEASED, COMMENTED = "retained", "released", "commented"

MAX_NOTES_CHARS = 20_000
MAX_REASON_CHARS = 500
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}", re.ASCII)


def start(report_ids: Sequence[str], *, by: Actor, now: datetime, version: int | None = None) -> int:
    return set_status(report_ids, IN_PROGRESS, by=by, now=now, version=version)


def resolve(
    report_ids: Sequence[str],
    *,
    by: Actor,
    now: datetime,
    kind: str | None = None,
    commit_sha: str | None = None,
    notes: str | None = None,
    version: int | None = None,
) -> int:
    return set_status(
        report_ids, RESOLVED, by=by, now=now, kind=kind, commit_sha=commit_sha, notes=notes, version=version
    )


def ignore(
    report_ids: Sequence[str],
    *,
    by: Actor,
    now: datetime,
    kind: str | None = None,
    notes: str | None = None,
    version: int | None = None,
) -> int:
    return set_status(report_ids, IGNORED, by=by, now=now, kind=kind, notes=notes, version=version)


def reopen(report_ids: Sequence[str], *, by: Actor, now: datetime, version: int | None = None) -> int:
    return set_status(report_ids, OPEN, by=by, now=now, version=version)


@transaction.atomic
def set_status(
    report_ids: Sequence[str],
    status: str,
    *,
    by: Actor,
    now: datetime,
    kind: str | None = None,
    commit_sha: str | None = None,
    notes: str | None = None,
    version: int | None = None,
) -> int:
    """Set the status and return the number of changed reports.

    A report that has the status already only gets the notes and the commit, without an audit event.
    Raises InvalidStatus, TransitionNotAllowed, ReportNotFound, StaleReport, InvalidInput.
    """
    if status not in STATUSES:
        raise InvalidStatus(f"status must be one of {', '.join(STATUSES)}", field="status")
    _check_kind(kind, status)
    reports = lock_reports(report_ids, version=version)
    _collect_transition_errors(reports, status)
    entries: list[BugReportEvent] = []
    changed = 0
    for report in reports:
        before = tracked_fields(report)
        is_transition = report.status != status or (kind is not None and kind != report.resolution_kind)
        if is_transition and report.duplicate_of:
            entries += detach_duplicate(report, by=by, now=now)
        if is_transition:
            report.transition_to(status, now, kind=kind)
        _set_resolution(report, by=by, commit_sha=commit_sha, notes=notes)
        if is_transition:
            entries.append(build_change_event(report, STATUS_CHANGED, before, by=by, now=now))
        if is_transition or tracked_fields(report) != before:
            report.save_new_version(now)
            changed += 1
    save_events(entries)
    return changed


@transaction.atomic
def update_resolution(
    report_ids: Sequence[str],
    *,
    by: Actor,
    now: datetime,
    commit_sha: str | None = None,
    notes: str | None = None,
    version: int | None = None,
) -> int:
    """Set notes and commit in any status."""
    reports = lock_reports(report_ids, version=version)
    for report in reports:
        _set_resolution(report, by=by, commit_sha=commit_sha, notes=notes)
        report.save_new_version(now)
    return len(reports)


def _collect_transition_errors(reports: Sequence[BugReport], status: str) -> None:
    """Raise one error for all reports that cannot change to `status`, with their number."""
    rejected: list[tuple[BugReport, TransitionNotAllowed]] = []
    for report in reports:
        try:
            BugReport(status=report.status).transition_to(status, report.updated_at)
        except TransitionNotAllowed as error:
            rejected.append((report, error))
    if rejected and len(reports) == 1:
        raise rejected[0][1]
    if rejected:
        names = ", ".join(report.report_id for report, _ in rejected[:5]) + (" …" if len(rejected) > 5 else "")
        message = f"{len(rejected)} of {len(reports)} cannot: {rejected[0][1].message} ({names}). Nothing was changed."
        raise TransitionNotAllowed(message, **rejected[0][1].details)


def _check_kind(kind: str | None, status: str) -> None:
    if kind is None:
        return
    if kind not in RESOLUTION_KINDS:
        raise InvalidInput(f"resolution_kind must be one of {', '.join(RESOLUTION_KINDS)}", field="resolution_kind")
    if status not in (RESOLVED, IGNORED):
        raise InvalidInput("resolution_kind goes with resolved or ignored only", field="resolution_kind")
    if kind == DUPLICATE:
        raise InvalidInput("a duplicate names the report it duplicates: duplicate_of", field="duplicate_of")


def _set_resolution(report: BugReport, *, by: Actor, commit_sha: str | None, notes: str | None) -> None:
    if commit_sha is not None:
        if commit_sha and not _COMMIT.fullmatch(commit_sha):
            raise InvalidInput("commit_sha must be 7 to 64 hexadecimal digits", field="resolution.commit_sha")
        report.resolution_commit_sha = commit_sha or None
    if notes is not None:
        cleaned = clean_text(notes, field="resolution.notes", max_length=MAX_NOTES_CHARS).strip()
        report.resolution_notes = cleaned or None
    if by.name is not None:
        report.resolution_actor_id = by.name


@transaction.atomic
def assign(
    report_ids: Sequence[str], assignee: str | None, *, by: Actor, now: datetime, version: int | None = None
) -> int:
    """Assign by e-mail, or unassign with None. Raises UnknownAssignee."""
    user = _find_assignee(assignee) if assignee else None
    return _bulk_set(report_ids, ASSIGNED, {"assignee": user}, by=by, now=now, version=version)


def _find_assignee(email: str) -> User:
    user = User.objects.with_email(email).active_staff().first()
    if user is None:
        raise UnknownAssignee("assignee must be the e-mail of an active member of staff", field="assignee")
    return user


@transaction.atomic
def set_priority(
    report_ids: Sequence[str], priority: str | None, *, by: Actor, now: datetime, version: int | None = None
) -> int:
    if priority is not None and priority not in PRIORITIES:
        raise InvalidInput(f"priority must be one of {', '.join(PRIORITIES)}, or null", field="priority")
    return _bulk_set(report_ids, PRIORITISED, {"priority": priority}, by=by, now=now, version=version)


@transaction.atomic
def retain(report_ids: Sequence[str], reason: str, *, by: Actor, now: datetime, version: int | None = None) -> int:
    """Exclude reports from the purge until they are released. Raises InvalidInput without a reason."""
    reason = clean_text(reason, field="retain_reason", max_length=MAX_REASON_CHARS).strip()
    if not reason:
        raise InvalidInput("Say why the report is to be kept", field="retain_reason")
    wanted = {"retain": True, "retain_reason": reason}
    extra = {"retained_by": by.name}
    return _bulk_set(report_ids, RETAINED, wanted, extra, by=by, now=now, version=version)


@transaction.atomic
def release(report_ids: Sequence[str], *, by: Actor, now: datetime, version: int | None = None) -> int:
    extra = {"retain_reason": "", "retained_by": None}
    return _bulk_set(report_ids, RELEASED, {"retain": False}, extra, by=by, now=now, version=version)


def _bulk_set(
    report_ids: Sequence[str],
    event: str,
    wanted: dict[str, Any],
    extra: dict[str, Any] | None = None,
    *,
    by: Actor,
    now: datetime,
    version: int | None,
) -> int:
    """Set `wanted` and `extra` on reports that differ from `wanted`, with audit events. Return their number."""
    entries = []
    for report in lock_reports(report_ids, version=version):
        if all(getattr(report, name) == value for name, value in wanted.items()):
            continue
        before = tracked_fields(report)
        for name, value in {**wanted, **(extra or {})}.items():
            setattr(report, name, value)
        if event in _TRIAGE_EVENTS:
            report.triaged_at = report.triaged_at or now
        report.save_new_version(now)
        entries.append(build_change_event(report, event, before, by=by, now=now))
    save_events(entries)
    return len(entries)


@transaction.atomic
def add_comment(report_ids: Sequence[str], text: str, *, by: Actor, now: datetime) -> int:
    """Add a comment, visible to staff only. The report itself does not change, so no version is needed."""
    text = clean_text(text, field="comment", max_length=MAX_NOTES_CHARS).strip()
    if not text:
        raise InvalidInput("The comment is empty", field="comment")
    reports = lock_reports(report_ids)
    save_events([build_event(report, COMMENTED, {"text": text}, by=by, now=now) for report in reports])
    return len(reports)
