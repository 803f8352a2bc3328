"""A taxonomy and empty storage for tests of assets."""

from typing import Any

import pytest
from django.core.files.storage import default_storage

from taxonomy.snapshot import TaxonomySnapshot
from taxonomy.snapshot_cache import clear_taxonomy_cache
from tests.factories.taxonomy import load_starter_taxonomy


@pytest.fixture
def directory(db: None) -> TaxonomySnapshot:
    """The starter taxonomy, loaded."""
    clear_taxonomy_cache()
    return load_starter_taxonomy()


@pytest.fixture(autouse=True)
def empty_storage(settings: Any) -> None:
    """Rows of a test are rolled back; files in memory are not. Setting STORAGES makes Django open new ones."""
    settings.STORAGES = dict(settings.STORAGES)


def stored_bytes(key: str) -> bytes:
    with default_storage.open(key, "rb") as content:
        return content.read()


def error_of(answer: Any, status: int, field: str | None = None) -> str:
    """The message of an answer that must be the error envelope with `status`, naming `field`."""
    assert answer.status_code == status, (answer.status_code, answer.content[:400])
    assert answer["Content-Type"].startswith("application/json")
    body = answer.json()
    assert body["success"] is False
    assert body["statusCode"] == status
    assert body["message"] == body["error"]["message"]
    assert body["error"]["details"]["statusCode"] == status
    assert body["metadata"]["path"].startswith("/api/")
    assert body["metadata"]["timestamp"].endswith("Z")
    if field is not None:
        assert any(name.startswith(field) for name in body["error"]["details"].get("errors", {})), body["error"]
    return body["message"]
