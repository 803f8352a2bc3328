"""Migrations match the models, and every migration is reversible."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython, RunSQL, SeparateDatabaseAndState

from tests.support.source_tree import PACKAGES

_SHAPE = """
SELECT 'column', table_name, column_name, data_type, is_nullable, coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '', ''
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname, pg_get_functiondef(p.oid), '', '', '' FROM pg_proc p
WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


def _our_migrations() -> dict[tuple[str, str], Any]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return {key: migration for key, migration in loader.disk_migrations.items() if key[0] in PACKAGES}


def _operations(operations: list[Any]) -> Iterator[Any]:
    for operation in operations:
        yield operation
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _operations(operation.database_operations)


@pytest.mark.django_db
def test_migrations_match_the_models() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("key", sorted(_our_migrations()), ids=".".join)
def test_every_operation_is_reversible(key: tuple[str, str]) -> None:
    for operation in _operations(_our_migrations()[key].operations):
        assert operation.reversible, f"{operation.describe()} is not reversible"
        if isinstance(operation, (RunPython, RunSQL)):
            back = operation.reverse_code if isinstance(operation, RunPython) else operation.reverse_sql
            assert back is not None


def _shape() -> set[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_SHAPE)
        return set(cursor.fetchall())


@pytest.mark.slow
def test_all_migrations_reverse_to_zero_and_apply_again(own_database: None) -> None:
    ours = sorted({label for label, _ in _our_migrations()})
    call_command("migrate", verbosity=0)
    before = _shape()
    tables = {part[1] for part in before if part[0] == "column"}
    assert {model._meta.db_table for label in ours for model in apps.get_app_config(label).get_models()} <= tables
    for label in ours:
        call_command("migrate", label, "zero", verbosity=0)
    assert not {part[:3] for part in _shape() if any(part[1].startswith(f"{label}_") for label in ours)}
    call_command("migrate", verbosity=0)
    assert _shape() == before
