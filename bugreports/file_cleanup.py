"""Delete files of deleted rows, and orphaned screenshots."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from bugreports.models import BugReportScreenshot, PendingFileDeletion
from bugreports.screenshots import FOLDER, private_storage
from common.file_reconciliation import FileReconciler, FileReconciliationReport

log = logging.getLogger(__name__)

_BATCH = 200


def schedule_file_deletion(keys: Iterable[str], now: datetime) -> None:
    """Record files to delete, in the transaction that deletes their rows."""
    PendingFileDeletion.objects.bulk_create(
        [PendingFileDeletion(key=key, asked_at=now) for key in keys], ignore_conflicts=True
    )


def delete_pending_files() -> int:
    """Delete pending files and return their number. After a storage error the others stay pending."""
    storage, removed, last = private_storage(), 0, 0
    while batch := list(PendingFileDeletion.objects.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        deleted: list[int] = []
        try:
            for pending in batch:
                storage.delete(pending.key)
                deleted.append(pending.pk)
        except Exception:  # storages raise different exceptions
            log.exception("screenshots not deleted", extra={"removed": removed + len(deleted)})
            return removed + _delete_rows(deleted)
        removed, last = removed + _delete_rows(deleted), batch[-1].pk
    return removed


def _delete_rows(pks: list[int]) -> int:
    return PendingFileDeletion.objects.filter(pk__in=pks).delete()[0]


def sweep_orphans(now: datetime) -> FileReconciliationReport:
    """Delete screenshots without a row older than BUGREPORTS_ORPHAN_GRACE_SECONDS; failed submissions leave them."""
    storage, report = private_storage(), FileReconciliationReport()
    grace = timedelta(seconds=settings.BUGREPORTS_ORPHAN_GRACE_SECONDS)
    reconciler = FileReconciler(storage, BugReportScreenshot.objects.all(), delete_before=now - grace)
    try:
        days, _ = storage.listdir(FOLDER)
    except FileNotFoundError:
        return report
    for day in sorted(days):
        reconciler.reconcile_folder(f"{FOLDER}/{day}", report, remove_if_empty=True)
    if report.deleted:
        log.warning("screenshots without a report deleted", extra={"deleted": report.deleted})
    return report
