"""Clean up artwork storage: files without a row, rows without a file, bytes past their retention."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import default_storage

from albumart.models import Artwork, ArtworkContent, ArtworkFile
from albumart.pipeline.store import FOLDER, try_exclusive_storage_lock
from common.file_reconciliation import FileReconciler, FileReconciliationReport

log = logging.getLogger(__name__)


def reconcile_files(now: datetime, *, is_dry_run: bool) -> FileReconciliationReport:
    """Compare the files with the rows, one of 256 folders at a time to bound memory.

    Files without a row that are older than ALBUMART_ORPHAN_GRACE_SECONDS are deleted, unless `is_dry_run`. Requests
    without a file are only reported, by their key.
    """
    report = FileReconciliationReport()
    reconciler = FileReconciler(
        storage=default_storage,
        rows=ArtworkFile.objects.all(),
        delete_before=now - timedelta(seconds=settings.ALBUMART_ORPHAN_GRACE_SECONDS),
        is_dry_run=is_dry_run,
        owner_field="artwork_id",
        deletion_lock=try_exclusive_storage_lock,
    )
    for number in range(256):
        reconciler.reconcile_folder(f"{FOLDER}/{number:02x}", report)
    if report.deleted or report.missing:
        log.warning(
            "artwork files reconciled",
            extra={"deleted": report.deleted, "requests_without_file": len(report.missing)},
        )
    return report


def delete_expired_content(now: datetime) -> int:
    """Delete bytes of requests that finished without artwork ALBUMART_CONTENT_RETENTION_DAYS ago."""
    expired = ArtworkContent.objects.filter(
        received_at__lt=now - timedelta(days=settings.ALBUMART_CONTENT_RETENTION_DAYS),
        artwork__in=Artwork.objects.ended(),
    )
    return expired.delete()[0]
