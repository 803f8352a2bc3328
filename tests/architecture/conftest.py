"""Fixtures for tests of migrations."""

from collections.abc import Iterator

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from taxonomy.snapshot_cache import clear_taxonomy_cache


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
        clear_taxonomy_cache()  # its versions have the same keys as those of the empty database
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = name
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{own_name}"')
            ContentType.objects.clear_cache()  # its keys are those of the dropped database
            clear_taxonomy_cache()
