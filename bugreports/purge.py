"""Scheduled purge. Expired closed reports are deleted; expired active reports lose their personal context.

Each batch is one transaction that also records the files to delete and updates the purge run. A purge that is killed
has done what its run records; the next purge continues.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q

from bugreports.audit_log import SYSTEM, build_event, save_events
from bugreports.deletion import delete_rows
from bugreports.errors import PurgeInProgress, PurgeTooLarge
from bugreports.file_cleanup import delete_pending_files, schedule_file_deletion
from bugreports.intake import SUBMITTED
from bugreports.models import BugReport, BugReportContext, BugReportEvent, BugReportScreenshot, PurgeRun
from bugreports.querysets import ACTIVE, BugReportQuerySet
from bugreports.row_locks import acquire_merge_lock, lock_groups
from bugreports.statuses import CLOSED
from common.advisory_locks import advisory_lock
from common.timestamps import format_timestamp

log = logging.getLogger(__name__)

CONTEXT_EXPIRED = "context_expired"
DISABLED = "retention-disabled"
SCHEDULED = "schedule"
_LOCK = 0x70757267652D  # one purge at a time in the whole database
_MAX_GROWTH = 10


@dataclass(frozen=True)
class PurgeResult:
    """`status` is dry_run, success or skipped; `expired` counts active reports that lose their personal context."""

    status: str
    matched: int = 0
    deleted: int = 0
    skipped: int = 0
    expired: int = 0
    cutoff: datetime | None = None
    digest: str = ""

    def document(self) -> dict[str, Any]:
        """Return the JSON document of the API and the command."""
        if self.cutoff is None:
            return {"status": self.status, "reason": DISABLED}
        counts = {"matched": self.matched, "deleted": self.deleted, "skipped": self.skipped}
        return {"status": self.status, "results": counts | {"cutoff": format_timestamp(self.cutoff)}}


@dataclass(frozen=True)
class _Selection:
    """Which reports are deleted and which expire; a dry run counts the same rows."""

    cutoff: datetime
    includes_open: bool

    @property
    def _is_deleted(self) -> Q:
        return Q(retain=False) if self.includes_open else Q(retain=False, status__in=CLOSED)

    @property
    def _expires(self) -> Q:
        is_kept = Q(retain=False, status__in=ACTIVE, context_expired_at=None)
        return Q(pk__in=[]) if self.includes_open else is_kept

    def to_delete(self) -> BugReportQuerySet:
        return BugReport.objects.past(self.cutoff).filter(self._is_deleted)

    def to_expire(self) -> BugReportQuerySet:
        return BugReport.objects.past(self.cutoff).filter(self._expires)

    def counts(self) -> dict[str, int]:
        found = BugReport.objects.past(self.cutoff).order_by()
        return found.aggregate(
            matched=Count("pk"),
            deletable=Count("pk", filter=self._is_deleted),
            expiring=Count("pk", filter=self._expires),
        )


def purge(*, days: int | None = None, requested_by: str, now: datetime, is_dry_run: bool = False) -> PurgeResult:
    """Purge reports older than `days` (default BUGREPORTS_RETENTION_DAYS); 0 or less disables the purge.

    Raises PurgeInProgress, and PurgeTooLarge for a scheduled purge that is far larger than all before. A purge by a
    user has no such limit, because the user has seen the dry run.
    """
    days = settings.BUGREPORTS_RETENTION_DAYS if days is None else days
    if days <= 0:
        return PurgeResult("skipped")
    chosen = _Selection(now - timedelta(days=days), settings.BUGREPORTS_PURGE_OPEN)
    counts = chosen.counts()
    if is_dry_run:
        skipped = counts["matched"] - counts["deletable"]
        return PurgeResult("dry_run", counts["matched"], 0, skipped, counts["expiring"], chosen.cutoff)
    with _purge_lock():
        return _purge(chosen, counts, requested_by=requested_by, now=now)


def _purge(chosen: _Selection, counts: dict[str, int], *, requested_by: str, now: datetime) -> PurgeResult:
    # This process has the lock, so a run that is still marked as running was killed.
    PurgeRun.objects.filter(status=PurgeRun.Status.RUNNING).update(status=PurgeRun.Status.INTERRUPTED, finished_at=now)
    run = PurgeRun(started_at=now, requested_by=requested_by, cutoff=chosen.cutoff, includes_open=chosen.includes_open)
    run.matched, run.skipped = counts["matched"], counts["matched"] - counts["deletable"]
    if requested_by == SCHEDULED:
        _reject_unusual_count(run, counts["deletable"] + counts["expiring"], now)
    run.save()
    while delete_batch(run, chosen, now):
        pass
    while expire_batch(run, chosen, now):
        pass
    delete_pending_files()
    run.status, run.finished_at, run.skipped = PurgeRun.Status.DONE, now, max(run.matched - run.deleted, 0)
    run.save()
    log.info(
        "bugreports.purge.completed",
        extra={"matched": run.matched, "deleted": run.deleted, "skipped": run.skipped, "expired": run.expired,
               "digest": run.digest, "run": run.pk},
    )  # fmt: skip
    return PurgeResult("success", run.matched, run.deleted, run.skipped, run.expired, chosen.cutoff, run.digest)


def _reject_unusual_count(run: PurgeRun, count: int, now: datetime) -> None:
    """Abort a scheduled purge that is far larger than any before: a wrong system time would empty the table."""
    before = PurgeRun.objects.filter(status=PurgeRun.Status.DONE).order_by("-deleted").first()
    limit = max(settings.BUGREPORTS_PURGE_MAX_ROWS, _MAX_GROWTH * before.deleted if before else 0)
    if count <= limit:
        return
    run.status, run.finished_at = PurgeRun.Status.ABORTED, now
    run.reason = (
        f"{count} reports are due, but a scheduled purge is limited to {limit}. Run the purge yourself to confirm."
    )
    run.save()
    log.error("bugreports.purge.aborted", extra={"count": count, "limit": limit, "run": run.pk})
    raise PurgeTooLarge(run.reason)


@contextmanager
def _purge_lock() -> Iterator[None]:
    with advisory_lock(_LOCK, wait=False) as is_locked:
        if not is_locked:
            raise PurgeInProgress("A purge is under way; it can be asked for again when it is done")
        yield


@transaction.atomic
def delete_batch(run: PurgeRun, chosen: _Selection, now: datetime) -> int:
    """Delete the oldest expired reports. Reports locked by another transaction are left for the next run."""
    acquire_merge_lock()
    candidates = list(chosen.to_delete().values_list("pk", flat=True)[: settings.BUGREPORTS_PURGE_BATCH_ROWS])
    lock_groups(candidates)
    free = chosen.to_delete().filter(pk__in=candidates).select_for_update(skip_locked=True, of=("self",))
    rows = list(free.values_list("pk", "report_id", "screenshot__key"))
    if not rows:
        return 0
    delete_rows([pk for pk, _, _ in rows], [key for _, _, key in rows if key], now)
    run.deleted += len(rows)
    run.digest = chain_digest(run.digest, [report_id for _, report_id, _ in rows])
    run.save(update_fields=["deleted", "digest"])
    return len(rows)


def chain_digest(digest: str, report_ids: Sequence[str]) -> str:
    """Return the SHA-256 chained over the report ids. It does not depend on the batch size."""
    for report_id in report_ids:
        digest = hashlib.sha256(f"{digest}\n{report_id}".encode()).hexdigest()
    return digest


@transaction.atomic
def expire_batch(run: PurgeRun, chosen: _Selection, now: datetime) -> int:
    """Remove logs, requests, state, screenshot and submitter of active reports, and write an audit event."""
    reports = list(
        chosen.to_expire().select_for_update(skip_locked=True, of=("self",))
        [: settings.BUGREPORTS_PURGE_BATCH_ROWS]
    )  # fmt: skip
    pks = [report.pk for report in reports]
    screenshots = BugReportScreenshot.objects.filter(report__in=pks)
    schedule_file_deletion(screenshots.values_list("key", flat=True), now)
    screenshots.delete()
    BugReportContext.objects.filter(report__in=pks).delete()
    BugReportEvent.objects.filter(report__in=pks, event_type=SUBMITTED).update(actor_id=None)
    BugReport.objects.filter(pk__in=pks).update(
        submitted_by=None, has_recent_logs=False, has_network_events=False, context_expired_at=now, updated_at=now,
        version=F("version") + 1,
    )  # fmt: skip
    save_events([build_event(report, CONTEXT_EXPIRED, {}, by=SYSTEM, now=now) for report in reports])
    run.expired += len(reports)
    run.save(update_fields=["expired"])
    return len(reports)
