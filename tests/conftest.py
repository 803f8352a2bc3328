"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.user_cache import clear_user_cache
from tests.factories.accounts import AdminFactory, ServiceKeyFactory, UserFactory, bearer


@pytest.fixture(autouse=True)
def empty_user_cache() -> Iterator[None]:
    """Clear the user cache of the process: the rollback after a test removes only rows."""
    yield
    clear_user_cache()


@pytest.fixture
def api() -> APIClient:
    """A client without credentials."""
    return APIClient()


@pytest.fixture
def editor(db: None) -> User:
    return UserFactory()


@pytest.fixture
def admin_user(db: None) -> User:
    return AdminFactory()


@pytest.fixture
def editor_api(editor: User) -> APIClient:
    return APIClient(headers={"Authorization": bearer(editor)})


@pytest.fixture
def admin_api(admin_user: User) -> APIClient:
    return APIClient(headers={"Authorization": bearer(admin_user)})


@pytest.fixture
def service_api(db: None) -> APIClient:
    return APIClient(headers={"X-API-Key": ServiceKeyFactory().plain_key})
