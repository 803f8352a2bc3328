"""The keys of an asset's JSON: one source, and stored documents that follow a change of it."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState
from rest_framework.test import APIClient

from assets.document_migrations import replace_document
from assets.json_keys import DOCUMENT_COLUMNS, DOCUMENT_KEYS, document_function
from tests.factories.assets import make_asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]
SONG_FUNCTION = Path(settings.BASE_DIR) / "assets" / "sql" / "song_json.sql"


def installed_body(function: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [function])
        return cursor.fetchone()[0]


def body(sql: str) -> str:
    return sql.split("$$")[1]


def normalized(sql: str) -> str:
    return " ".join(re.sub(r"--.*", "", sql).split())


def test_the_migrations_install_the_document_function_of_json_keys() -> None:
    expected = document_function(DOCUMENT_KEYS, DOCUMENT_COLUMNS)
    assert normalized(installed_body("assets_document")) == normalized(body(expected)), (
        f"DOCUMENT_KEYS changed: add a migration with replace_document and this SQL:\n{expected}"
    )


def test_the_migrations_install_the_song_function_of_its_file() -> None:
    assert normalized(installed_body("assets_song_json")) == normalized(body(SONG_FUNCTION.read_text()))


def test_a_new_stored_key_is_in_rows_written_before_and_leaves_with_the_migration(editor_api: APIClient) -> None:
    asset = make_asset(description="A description")
    path = f"/api/assets/{asset.name}"
    before = editor_api.get(path).json()["data"]

    keys = DOCUMENT_KEYS | {"descriptionLength": "length(description)"}
    sql, previous_sql = (document_function(each, DOCUMENT_COLUMNS) for each in (keys, DOCUMENT_KEYS))
    migration = Migration("replaced_document", "assets")
    migration.operations = replace_document(columns=tuple(DOCUMENT_COLUMNS), sql=sql, previous_sql=previous_sql)
    state = ProjectState.from_apps(apps)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # PostgreSQL alters no table with pending constraint checks
    with connection.schema_editor() as schema_editor:
        migration.apply(state.clone(), schema_editor)
    assert editor_api.get(path).json()["data"] == before | {"descriptionLength": 13}

    with connection.schema_editor() as schema_editor:
        migration.unapply(state.clone(), schema_editor)
    assert editor_api.get(path).json()["data"] == before
