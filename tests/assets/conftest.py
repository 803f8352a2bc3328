"""Fixtures and helpers for tests of assets."""

from typing import Any

import pytest
from django.core.files.storage import default_storage

from taxonomy.snapshot import TaxonomySnapshot
from taxonomy.snapshot_cache import clear_taxonomy_cache
from tests.factories.taxonomy import load_starter_taxonomy


@pytest.fixture
def taxonomy(db: None) -> TaxonomySnapshot:
    """Load the starter taxonomy."""
    clear_taxonomy_cache()
    return load_starter_taxonomy()


@pytest.fixture(autouse=True)
def empty_storage(settings: Any) -> None:
    """Start with empty storage: Django creates new in-memory storages when STORAGES is set."""
    settings.STORAGES = dict(settings.STORAGES)


def stored_bytes(key: str) -> bytes:
    with default_storage.open(key, "rb") as content:
        return content.read()


def assert_error(response: Any, status: int, field: str | None = None) -> str:
    """Assert an error envelope with `status` that names `field`, and return its message."""
    assert response.status_code == status, (response.status_code, response.content[:400])
    assert response["Content-Type"].startswith("application/json")
    body = response.json()
    assert body["success"] is False
    assert body["statusCode"] == status
    assert body["message"] == body["error"]["message"]
    assert body["error"]["details"]["statusCode"] == status
    assert body["metadata"]["path"].startswith("/api/")
    assert body["metadata"]["timestamp"].endswith("Z")
    if field is not None:
        assert any(name.startswith(field) for name in body["error"]["details"].get("errors", {})), body["error"]
    return body["message"]
