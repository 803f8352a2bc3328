"""Migrations say what the models say, and every one can be taken back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython, RunSQL, SeparateDatabaseAndState
from pytest_django.plugin import DjangoDbBlocker

from tests.support.source_tree import PACKAGES

ALIAS = "migrations_tried_out"
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
def test_migrations_are_in_step_with_the_models() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("key", _our_migrations(), ids=".".join)
def test_every_step_of_a_migration_has_a_way_back(key: tuple[str, str]) -> None:
    for operation in _operations(_our_migrations()[key].operations):
        assert operation.reversible, f"{operation.describe()} cannot be taken back"
        if isinstance(operation, (RunPython, RunSQL)):
            back = operation.reverse_code if isinstance(operation, RunPython) else operation.reverse_sql
            assert back is not None


@pytest.fixture
def empty_database(django_db_blocker: DjangoDbBlocker) -> Iterator[Any]:
    """A database of its own, migrated, thrown away afterwards."""
    main = connections["default"].settings_dict
    connections.databases[ALIAS] = {**main, "NAME": f"{main['NAME']}_migrations", "OPTIONS": dict(main["OPTIONS"])}
    with django_db_blocker.unblock():
        creation = connections[ALIAS].creation
        creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            yield connections[ALIAS]
        finally:
            creation.destroy_test_db(main["NAME"], verbosity=0)
            connections[ALIAS].close()
            del connections[ALIAS], connections.databases[ALIAS]


def _shape(connection: Any) -> set[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_SHAPE)
        return set(cursor.fetchall())


@pytest.mark.slow
def test_all_our_migrations_go_back_to_nothing_and_forward_again(empty_database: Any) -> None:
    ours = sorted({label for label, _ in _our_migrations()})
    before = _shape(empty_database)
    for label in ours:
        call_command("migrate", label, "zero", database=ALIAS, verbosity=0)
    left = {part[:3] for part in _shape(empty_database) if any(part[1].startswith(f"{label}_") for label in ours)}
    assert not left
    call_command("migrate", database=ALIAS, verbosity=0)
    assert _shape(empty_database) == before
    assert {model._meta.db_table for label in ours for model in apps.get_app_config(label).get_models()} <= {
        part[1] for part in before if part[0] == "column"
    }
