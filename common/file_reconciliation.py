"""Compare the files of a storage folder with the rows that name them."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.files.storage import Storage
from django.db.models import QuerySet


@dataclass
class FileReconciliationReport:
    """`orphans` are keys of files without a row; `missing` maps an owner's key to keys without a file."""

    checked: int = 0
    orphans: list[str] = field(default_factory=list)
    recent_orphans: int = 0
    deleted: int = 0
    missing: dict[Any, list[str]] = field(default_factory=dict)
    is_incomplete: bool = False


@contextmanager
def no_lock() -> Iterator[bool]:
    yield True


@dataclass(frozen=True)
class FileReconciler:
    """`rows` name files in `key_field`; files changed after `delete_before` are left alone.

    `deletion_lock` yields True if no file can be stored while it is held. If it yields False, the file stays and the
    report is incomplete.
    """

    storage: Storage
    rows: QuerySet[Any]
    delete_before: datetime
    is_dry_run: bool = False
    key_field: str = "key"
    owner_field: str = "pk"
    deletion_lock: Callable[[], AbstractContextManager[bool]] = no_lock

    def reconcile_folder(self, folder: str, report: FileReconciliationReport, *, remove_if_empty: bool = False) -> None:
        """Delete orphans of one folder, without its subfolders, and add the result to `report`."""
        stored = self._stored_keys(folder)
        report.checked += len(stored)
        owners = self._owners_by_key(folder)
        for key in sorted(owners.keys() - stored):
            if not self.storage.exists(key):  # it may have been stored since the folder was listed
                for owner in owners[key]:
                    report.missing.setdefault(owner, []).append(key)
        deleted = sum(self._delete_orphan(key, report) for key in sorted(stored - owners.keys()))
        if remove_if_empty and not self.is_dry_run and deleted == len(stored):
            with contextlib.suppress(OSError):  # a file may have been stored since the folder was listed
                self.storage.delete(folder)

    def _stored_keys(self, folder: str) -> set[str]:
        try:
            _, names = self.storage.listdir(folder)
        except FileNotFoundError:
            return set()
        return {f"{folder}/{name}" for name in names if name}

    def _owners_by_key(self, folder: str) -> dict[str, list[Any]]:
        owners: dict[str, list[Any]] = {}
        rows = self.rows.filter(**{f"{self.key_field}__startswith": f"{folder}/"})
        for key, owner in rows.values_list(self.key_field, self.owner_field):
            owners.setdefault(key, []).append(owner)
        return owners

    def _delete_orphan(self, key: str, report: FileReconciliationReport) -> bool:
        if self.storage.get_modified_time(key) > self.delete_before:
            report.recent_orphans += 1
            return False
        report.orphans.append(key)
        if self.is_dry_run:
            return False
        with self.deletion_lock() as is_locked:
            if not is_locked:
                report.is_incomplete = True
            elif not self.rows.filter(**{self.key_field: key}).exists():
                self.storage.delete(key)
                report.deleted += 1
                return True
        return False
