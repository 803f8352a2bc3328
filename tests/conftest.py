"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker
from rest_framework.test import APIClient

from accounts.models import User
from taxonomy.snapshot_cache import clear_taxonomy_cache
from tests.factories.accounts import AdminFactory, ServiceKeyFactory, UserFactory, bearer
from tests.support.user_cache import clear_user_cache


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--registrations", type=int, default=5, help="registrations over each of 64 connections (default: 5)"
    )
    parser.addoption("--full", action="store_true", help="run the full forms of long tests, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--full"):
        for item in items:
            if item.get_closest_marker("full"):
                item.add_marker(pytest.mark.skip(reason="a short form runs; the full form runs with --full"))


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


@pytest.fixture
def own_database(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Use an empty database instead of the test database, and drop it afterwards."""
    name = connection.settings_dict["NAME"]
    own_name = f"{name}_migrations"
    with django_db_blocker.unblock():
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{own_name}"')
            cursor.execute(f'CREATE DATABASE "{own_name}"')
        connection.settings_dict["NAME"] = own_name
        clear_taxonomy_cache()  # its snapshots are those of the other database
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = name
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{own_name}"')
            clear_taxonomy_cache()
            ContentType.objects.clear_cache()  # its keys are those of the dropped database
