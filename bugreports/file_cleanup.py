"""Delete files of deleted rows, and orphaned screenshots."""

import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import Storage

from bugreports.models import BugReportScreenshot, PendingFileDeletion
from bugreports.screenshots import FOLDER, private_storage

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
        gone: list[int] = []
        try:
            for removal in batch:
                storage.delete(removal.key)
                gone.append(removal.pk)
        except Exception:  # every storage raises kinds of its own
            log.exception("screenshots wait for the storage to delete them", extra={"removed": removed + len(gone)})
            return removed + _forget(gone)
        removed, last = removed + _forget(gone), batch[-1].pk
    return removed


def _forget(pks: list[int]) -> int:
    return PendingFileDeletion.objects.filter(pk__in=pks).delete()[0]


@dataclass
class SweepResult:
    looked_at: int = 0
    recent: int = 0
    deleted: int = 0


def sweep_orphans(now: datetime) -> SweepResult:
    """Delete screenshots without a row older than BUGREPORTS_ORPHAN_GRACE_SECONDS; failed submissions leave them."""
    result, storage = SweepResult(), private_storage()
    oldest = now - timedelta(seconds=settings.BUGREPORTS_ORPHAN_GRACE_SECONDS)
    try:
        days, _ = storage.listdir(FOLDER)
    except FileNotFoundError:
        return result
    for day in sorted(days):
        _sweep_day(storage, f"{FOLDER}/{day}", result, oldest)
    if result.deleted:
        log.warning("screenshots without a report swept", extra={"deleted": result.deleted})
    return result


def _sweep_day(storage: Storage, folder: str, result: SweepResult, oldest: datetime) -> None:
    stored = {f"{folder}/{name}" for name in storage.listdir(folder)[1] if name}
    named = set(BugReportScreenshot.objects.filter(key__startswith=f"{folder}/").values_list("key", flat=True))
    result.looked_at += len(stored)
    left = len(stored)
    for key in sorted(stored - named):
        if storage.get_modified_time(key) > oldest:
            result.recent += 1
            continue
        storage.delete(key)
        result.deleted += 1
        left -= 1
    if not left:
        with contextlib.suppress(OSError):  # somebody stores there just now
            storage.delete(folder)
