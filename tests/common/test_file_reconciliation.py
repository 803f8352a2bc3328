"""Reconciliation of real files in a folder with rows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps.registry import Apps
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import connection, models

from common.file_reconciliation import FileReconciler, FileReconciliationReport

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


class StoredFile(models.Model):
    key = models.CharField(max_length=100)

    class Meta:
        app_label = "tests"
        apps = Apps()  # keeps the model out of the project

    def __str__(self) -> str:
        return self.key


@pytest.fixture
def storage(tmp_path: Path) -> FileSystemStorage:
    with connection.schema_editor() as editor:
        editor.create_model(StoredFile)
    return FileSystemStorage(tmp_path)


def save(storage: FileSystemStorage, key: str, *, age: timedelta = timedelta(days=2)) -> None:
    storage.save(key, ContentFile(b"x"))
    os.utime(storage.path(key), ((NOW - age).timestamp(),) * 2)


def reconcile(storage: FileSystemStorage, **options: Any) -> FileReconciliationReport:
    report = FileReconciliationReport()
    remove_if_empty = options.pop("remove_if_empty", False)
    reconciler = FileReconciler(storage, StoredFile.objects.all(), NOW - timedelta(days=1), **options)
    reconciler.reconcile_folder("art", report, remove_if_empty=remove_if_empty)
    return report


def test_deletes_old_orphans_only(storage):
    for key in ("art/named", "art/orphan"):
        save(storage, key)
    save(storage, "art/recent", age=timedelta(hours=1))
    StoredFile.objects.create(key="art/named")
    report = reconcile(storage)
    assert (report.checked, report.orphans, report.recent_orphans, report.deleted) == (3, ["art/orphan"], 1, 1)
    assert sorted(storage.listdir("art")[1]) == ["named", "recent"]


def test_a_dry_run_deletes_nothing(storage):
    save(storage, "art/orphan")
    report = reconcile(storage, is_dry_run=True, remove_if_empty=True)
    assert (report.orphans, report.deleted) == (["art/orphan"], 0)
    assert storage.exists("art/orphan")


def test_reports_rows_without_a_file(storage):
    row = StoredFile.objects.create(key="art/gone")
    assert reconcile(storage).missing == {row.pk: ["art/gone"]}


def test_keeps_orphans_while_files_may_be_stored(storage):
    @contextmanager
    def no_lock_available() -> Iterator[bool]:
        yield False

    save(storage, "art/orphan")
    report = reconcile(storage, deletion_lock=no_lock_available)
    assert (report.is_incomplete, report.deleted) == (True, 0)
    assert storage.exists("art/orphan")


def test_keeps_a_file_whose_row_was_written_meanwhile(storage):
    @contextmanager
    def store_first() -> Iterator[bool]:
        StoredFile.objects.create(key="art/orphan")
        yield True

    save(storage, "art/orphan")
    assert reconcile(storage, deletion_lock=store_first).deleted == 0
    assert storage.exists("art/orphan")


@pytest.mark.parametrize("is_named", [True, False])
def test_removes_a_folder_only_if_it_is_empty(storage, is_named):
    save(storage, "art/orphan")
    if is_named:
        save(storage, "art/named")
        StoredFile.objects.create(key="art/named")
    reconcile(storage, remove_if_empty=True)
    assert storage.exists("art") is is_named
