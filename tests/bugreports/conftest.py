"""Users of bug reports, and an empty storage."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from bugreports.audit_log import Actor
from tests.factories.accounts import UserFactory, bearer


@pytest.fixture(autouse=True)
def empty_storage(settings: Settings) -> None:
    """Open new in-memory storages by setting STORAGES, because files are not rolled back after a test."""
    settings.STORAGES = dict(settings.STORAGES)


@pytest.fixture
def reporter(db: None) -> User:
    return UserFactory(email="lia@studio.example")


@pytest.fixture
def reporter_api(reporter: User) -> APIClient:
    return APIClient(headers={"Authorization": bearer(reporter)})


@pytest.fixture
def staff(db: None) -> Actor:
    return Actor("theo@studio.example")


@pytest.fixture
def connection_queries() -> CaptureQueriesContext:
    return CaptureQueriesContext(connection)
