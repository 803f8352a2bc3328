"""What goes when its time is over. Closed reports go whole; active ones lose what is personal and stay in the queue.

Rows go in batches, each one transaction that also names the files to delete and brings the receipt up to date; files
follow. A purge that is killed has done what its receipt says, and the next one goes on.
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

from bugreports.audit_log import SYSTEM, Actor, build_event, save_events
from bugreports.errors import PurgeInProgress, PurgeTooLarge
from bugreports.file_cleanup import delete_pending_files, schedule_file_deletion
from bugreports.intake import SUBMITTED
from bugreports.models import BugReport, BugReportContext, BugReportEvent, BugReportScreenshot, PurgeRun
from bugreports.querysets import ACTIVE, BugReportQuerySet
from bugreports.row_locks import acquire_merge_lock, lock_groups, lock_reports
from bugreports.statuses import CLOSED
from common.advisory_locks import advisory_lock
from common.timestamps import format_timestamp

log = logging.getLogger(__name__)

CONTEXT_EXPIRED = "context_expired"
DISABLED = "retention-disabled"
SCHEDULED = "schedule"
_LOCK = 0x70757267652D  # one purge at a time in the whole database
_MANY_TIMES = 10


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
        """As clients and operators know it."""
        if self.cutoff is None:
            return {"status": self.status, "reason": DISABLED}
        counts = {"matched": self.matched, "deleted": self.deleted, "skipped": self.skipped}
        return {"status": self.status, "results": counts | {"cutoff": format_timestamp(self.cutoff)}}


@dataclass(frozen=True)
class _Selection:
    """The one place that says what goes; a dry run counts it, a real run takes it."""

    cutoff: datetime
    includes_open: bool

    @property
    def _goes(self) -> Q:
        return Q(retain=False) if self.includes_open else Q(retain=False, status__in=CLOSED)

    @property
    def _expires(self) -> Q:
        is_kept = Q(retain=False, status__in=ACTIVE, context_expired_at=None)
        return Q(pk__in=[]) if self.includes_open else is_kept

    def to_delete(self) -> BugReportQuerySet:
        return BugReport.objects.past(self.cutoff).filter(self._goes)

    def to_expire(self) -> BugReportQuerySet:
        return BugReport.objects.past(self.cutoff).filter(self._expires)

    def counts(self) -> dict[str, int]:
        found = BugReport.objects.past(self.cutoff).order_by()
        return found.aggregate(
            matched=Count("pk"), going=Count("pk", filter=self._goes), expiring=Count("pk", filter=self._expires)
        )


def purge(*, days: int | None = None, requested_by: str, now: datetime, is_dry_run: bool = False) -> PurgeResult:
    """`days` instead of BUGREPORTS_RETENTION_DAYS; 0 or less: nothing goes.

    Raises PurgeInProgress; PurgeTooLarge where the clock asks for far more than ever before. A user saw the dry run.
    """
    days = settings.BUGREPORTS_RETENTION_DAYS if days is None else days
    if days <= 0:
        return PurgeResult("skipped")
    chosen = _Selection(now - timedelta(days=days), settings.BUGREPORTS_PURGE_OPEN)
    counts = chosen.counts()
    if is_dry_run:
        skipped = counts["matched"] - counts["going"]
        return PurgeResult("dry_run", counts["matched"], 0, skipped, counts["expiring"], chosen.cutoff)
    with _purge_lock():
        return _purge(chosen, counts, requested_by=requested_by, now=now)


def _purge(chosen: _Selection, counts: dict[str, int], *, requested_by: str, now: datetime) -> PurgeResult:
    # Nobody else holds the lock, so what still says that it runs was killed.
    PurgeRun.objects.filter(status=PurgeRun.Status.RUNNING).update(status=PurgeRun.Status.INTERRUPTED, finished_at=now)
    run = PurgeRun(started_at=now, requested_by=requested_by, cutoff=chosen.cutoff, includes_open=chosen.includes_open)
    run.matched, run.skipped = counts["matched"], counts["matched"] - counts["going"]
    if requested_by == SCHEDULED:
        _refuse_far_too_many(run, counts["going"] + counts["expiring"], now)
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


def _refuse_far_too_many(run: PurgeRun, count: int, now: datetime) -> None:
    """A clock that jumped by a year would empty the table. What an operator asks for by hand is not held up."""
    before = PurgeRun.objects.filter(status=PurgeRun.Status.DONE).order_by("-deleted").first()
    most = max(settings.BUGREPORTS_PURGE_MAX_ROWS, _MANY_TIMES * before.deleted if before else 0)
    if count <= most:
        return
    run.status, run.finished_at = PurgeRun.Status.ABORTED, now
    run.reason = f"{count} reports would go; the clock takes {most} at most. Run it by hand if that is right"
    run.save()
    log.error("bugreports.purge.refused", extra={"count": count, "most": most, "run": run.pk})
    raise PurgeTooLarge(run.reason)


@contextmanager
def _purge_lock() -> Iterator[None]:
    with advisory_lock(_LOCK, wait=False) as is_locked:
        if not is_locked:
            raise PurgeInProgress("A purge is under way; it can be asked for again when it is done")
        yield


@transaction.atomic
def delete_batch(run: PurgeRun, chosen: _Selection, now: datetime) -> int:
    """The oldest that go, with all that belongs to them. Reports somebody holds just now wait for the next run."""
    acquire_merge_lock()
    candidates = list(chosen.to_delete().values_list("pk", flat=True)[: settings.BUGREPORTS_PURGE_BATCH_ROWS])
    lock_groups(candidates)
    free = chosen.to_delete().filter(pk__in=candidates).select_for_update(skip_locked=True, of=("self",))
    rows = list(free.values_list("pk", "report_id", "screenshot__key"))
    if not rows:
        return 0
    _delete([pk for pk, _, _ in rows], [key for _, _, key in rows if key], now)
    run.deleted += len(rows)
    run.digest = chain_digest(run.digest, [report_id for _, report_id, _ in rows])
    run.save(update_fields=["deleted", "digest"])
    return len(rows)


def _delete(pks: Sequence[int], keys: Sequence[str], now: datetime) -> None:
    schedule_file_deletion(keys, now)
    BugReport.objects.filter(pk__in=pks).delete()


def chain_digest(digest: str, report_ids: Sequence[str]) -> str:
    """SHA-256 over the digest so far and the next id, id by id: the same for any size of batches."""
    for report_id in report_ids:
        digest = hashlib.sha256(f"{digest}\n{report_id}".encode()).hexdigest()
    return digest


@transaction.atomic
def expire_batch(run: PurgeRun, chosen: _Selection, now: datetime) -> int:
    """Active reports lose logs, requests, state, screenshot and the submitter's address; an entry says so."""
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


@transaction.atomic
def delete_reports(report_ids: Sequence[str], *, by: Actor, now: datetime) -> int:
    """At once and for good, also what is retained: whoever may do this decides so. Raises ReportNotFound."""
    acquire_merge_lock()
    lock_groups(BugReport.objects.filter(report_id__in=report_ids).values_list("pk", flat=True))
    reports = lock_reports(report_ids)
    pks = [report.pk for report in reports]
    keys = list(BugReportScreenshot.objects.filter(report__in=pks).values_list("key", flat=True))
    _delete(pks, keys, now)
    if keys:
        transaction.on_commit(delete_pending_files, robust=True)
    log.warning("bug reports deleted", extra={"reports": [r.report_id for r in reports], "by": by.name})
    return len(reports)
