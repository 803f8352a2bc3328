"""Files without rows, rows without files, and fetched bytes of old requests."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from albumart.models import ArtworkContent
from albumart.pipeline.store import storage_lock
from albumart.storage_cleanup import delete_expired_content, reconcile_files
from common.content_addressed_storage import content_key, save_if_absent
from tests.factories.albumart import ArtworkFactory, make_stored

pytestmark = pytest.mark.django_db
LATER = timedelta(days=2)


def _orphan(content: bytes = b"orphan") -> str:
    key = content_key("album-art", content, "image/jpeg")
    save_if_absent(key, content, content_type="image/jpeg")
    return key


def test_an_orphan_is_listed_and_deleted_after_the_grace_period() -> None:
    key = _orphan()
    young = reconcile_files(timezone.now(), is_dry_run=False)
    assert (young.recent_orphans, young.deleted) == (1, 0)
    dry = reconcile_files(timezone.now() + LATER, is_dry_run=True)
    assert dry.orphans == [key]
    assert default_storage.exists(key)
    assert reconcile_files(timezone.now() + LATER, is_dry_run=False).deleted == 1
    assert not default_storage.exists(key)


def test_referenced_files_are_kept_and_missing_files_reported() -> None:
    kept, lost = make_stored(), make_stored()
    default_storage.save(kept.files.get().key, ContentFile(b"x"))
    report = reconcile_files(timezone.now() + LATER, is_dry_run=False)
    assert default_storage.exists(kept.files.get().key)
    assert report.missing == {lost.pk: [lost.files.get().key]}


@pytest.mark.django_db(transaction=True)
def test_nothing_is_deleted_while_a_worker_stores_files() -> None:
    key = _orphan()
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor, storage_lock():
            cursor.execute("SELECT 1")
            connections["default"], mine = other, connections["default"]
            try:
                report = reconcile_files(timezone.now() + LATER, is_dry_run=False)
            finally:
                connections["default"] = mine
        assert report.is_incomplete
        assert default_storage.exists(key)
    finally:
        other.close()


def test_an_incomplete_file_is_replaced() -> None:
    key = content_key("album-art", b"whole picture", "image/jpeg")
    default_storage.save(key, ContentFile(b"whole"))
    assert save_if_absent(key, b"whole picture", content_type="image/jpeg")
    assert default_storage.open(key).read() == b"whole picture"
    assert not save_if_absent(key, b"whole picture", content_type="image/jpeg")


def test_fetched_bytes_of_old_requests_are_deleted() -> None:
    now = timezone.now()
    old = ArtworkFactory(status="refused", error_code="infected", finished_at=now)
    waiting = ArtworkFactory()
    for artwork in (old, waiting):
        ArtworkContent.objects.create(artwork=artwork, content=b"x", received_at=now - timedelta(days=31))
    assert delete_expired_content(now) == 1
    assert ArtworkContent.objects.get().artwork == waiting


def test_the_command_lists_and_deletes(capsys: pytest.CaptureFixture[str]) -> None:
    _orphan()
    lost = make_stored()
    call_command("clean_artwork", "--dry-run")
    printed = capsys.readouterr().out
    assert "1 without a row but too recent to delete" in printed
    assert f"{lost.asset.name} (request {lost.pk}) has no file" in printed
