"""Apply several changes to one report in one transaction, for PATCH and for the command."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from bugreports import triage
from bugreports.audit_log import Actor
from bugreports.duplicates import merge
from bugreports.errors import StaleReport
from bugreports.row_locks import acquire_merge_lock, lock_reports
from bugreports.statuses import DUPLICATE, RESOLVED
from common.errors import InvalidInput
from common.sentinels import UNSET, Unset


@dataclass(frozen=True)
class ReportChanges:
    status: str | None = None
    resolution_kind: str | None = None
    notes: str | None = None
    commit_sha: str | None = None
    duplicate_of: str | None = None
    priority: str | Unset | None = UNSET
    assignee: str | Unset | None = UNSET
    retain: bool | None = None
    retain_reason: str = ""

    @property
    def names_resolution(self) -> bool:
        return self.notes is not None or self.commit_sha is not None


@transaction.atomic
def update_report(
    report_id: str,
    changes: ReportChanges,
    *,
    by: Actor,
    now: datetime,
    version: int | None = None,
    unmodified_since: datetime | None = None,
) -> None:
    """Apply the changes. Raises errors of the actions, and StaleReport if the report is newer than given."""
    if changes.duplicate_of:
        acquire_merge_lock()
    [report] = lock_reports([report_id], version=version)
    if unmodified_since is not None and report.updated_at > unmodified_since:
        raise StaleReport("Somebody else changed this report meanwhile; look at it again")
    ids = [report_id]
    if changes.priority is not UNSET:
        triage.set_priority(ids, changes.priority, by=by, now=now)
    if changes.assignee is not UNSET:
        triage.assign(ids, changes.assignee, by=by, now=now)
    if changes.retain is True:
        triage.retain(ids, changes.retain_reason, by=by, now=now)
    elif changes.retain is False:
        triage.release(ids, by=by, now=now)
    _apply_status(ids, changes, by=by, now=now)


def _apply_status(ids: list[str], changes: ReportChanges, *, by: Actor, now: datetime) -> None:
    if changes.duplicate_of:
        if changes.status not in (None, RESOLVED) or changes.resolution_kind not in (None, DUPLICATE):
            raise InvalidInput("A duplicate is resolved as duplicate, and as nothing else", field="duplicate_of")
        merge(ids, changes.duplicate_of, by=by, now=now)
    elif changes.status:
        triage.set_status(
            ids, changes.status, by=by, now=now, kind=changes.resolution_kind, commit_sha=changes.commit_sha,
            notes=changes.notes,
        )  # fmt: skip
        return
    elif changes.resolution_kind:
        raise InvalidInput("resolution_kind goes with a status", field="resolution_kind")
    if changes.names_resolution:
        triage.update_resolution(ids, by=by, now=now, commit_sha=changes.commit_sha, notes=changes.notes)
