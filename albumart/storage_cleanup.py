"""Files without a row, rows without a file, bytes kept too long."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import default_storage

from albumart.models import Artwork, ArtworkContent, ArtworkFile
from albumart.pipeline.store import FOLDER, try_exclusive_storage_lock

log = logging.getLogger(__name__)


@dataclass
class FileReconciliation:
    """What a sweep found. Keys of files, and pks of requests."""

    looked_at: int = 0
    orphans: list[str] = field(default_factory=list)
    recent_orphans: int = 0
    deleted: int = 0
    missing: dict[int, list[str]] = field(default_factory=dict)
    is_incomplete: bool = False


def reconcile_files(now: datetime, *, is_dry_run: bool) -> FileReconciliation:
    """Compare storage and rows, one folder of the 256 after the other, so that memory stays flat.

    Deletes files no row names that are older than ALBUMART_ORPHAN_GRACE_SECONDS, unless `is_dry_run`. Rows whose file
    is gone are only told.
    """
    account = FileReconciliation()
    oldest = now - timedelta(seconds=settings.ALBUMART_ORPHAN_GRACE_SECONDS)
    for shard in (f"{number:02x}" for number in range(256)):
        _sweep_folder(f"{FOLDER}/{shard}", account, oldest, is_dry_run=is_dry_run)
    if account.deleted or account.missing:
        log.warning(
            "picture files swept", extra={"deleted": account.deleted, "requests_without_file": len(account.missing)}
        )
    return account


def _sweep_folder(folder: str, account: FileReconciliation, oldest: datetime, *, is_dry_run: bool) -> None:
    stored = set(_keys_in(folder))
    account.looked_at += len(stored)
    named: dict[str, list[int]] = {}
    for key, artwork_pk in ArtworkFile.objects.filter(key__startswith=f"{folder}/").values_list("key", "artwork_id"):
        named.setdefault(key, []).append(artwork_pk)
    for key in sorted(named.keys() - stored):
        if not default_storage.exists(key):  # it may have come since the folder was read
            for artwork_pk in named[key]:
                account.missing.setdefault(artwork_pk, []).append(key)
    for key in sorted(stored - named.keys()):
        if default_storage.get_modified_time(key) > oldest:
            account.recent_orphans += 1
            continue
        account.orphans.append(key)
        if not is_dry_run:
            _delete_orphan(key, account)


def _keys_in(folder: str) -> Iterator[str]:
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in names if name)


def _delete_orphan(key: str, account: FileReconciliation) -> None:
    with try_exclusive_storage_lock() as is_sure:
        if not is_sure:
            account.is_incomplete = True
        elif not ArtworkFile.objects.filter(key=key).exists():
            default_storage.delete(key)
            account.deleted += 1


def delete_expired_content(now: datetime) -> int:
    """Bytes of requests that ended long ago; a stored picture's went when it was stored."""
    long_ago = now - timedelta(days=settings.ALBUMART_CONTENT_RETENTION_DAYS)
    old = ArtworkContent.objects.filter(received_at__lt=long_ago, artwork__in=Artwork.objects.ended())
    return old.delete()[0]
