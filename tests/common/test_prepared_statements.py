"""Statements that the server plans once for each connection."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from common.prepared_statements import prepared_cursor

pytestmark = pytest.mark.django_db(transaction=True)

_STATEMENT = "SELECT %s::int + 1"


def run(value: int) -> int:
    with prepared_cursor() as cursor:
        cursor.execute(_STATEMENT, [value])
        return cursor.fetchone()[0]


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


def test_the_first_call_prepares_the_statement_for_all_values() -> None:
    assert [run(value) for value in (1, 2, 3)] == [2, 3, 4]
    assert prepared().count("SELECT $1::int + 1") == 1


def test_other_statements_are_not_prepared() -> None:
    run(1)
    for _ in range(20):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 2")
    assert "SELECT 2" not in prepared()


def test_a_statement_works_after_a_rollback_and_on_a_new_connection() -> None:
    with transaction.atomic():
        run(1)
        transaction.set_rollback(True)
    assert run(1) == 2
    connection.close()
    assert run(1) == 2


def test_the_log_of_statements_has_the_text() -> None:
    run(1)
    with CaptureQueriesContext(connection) as queries:
        run(5)
    assert [query["sql"] for query in queries] == ["SELECT $1::int + 1"]


def test_a_connection_without_a_threshold_prepares_nothing() -> None:
    """DATABASE_PREPARED_STATEMENTS=0 sets no threshold."""
    connection.ensure_connection()
    threshold = connection.connection.prepare_threshold
    assert threshold is not None
    connection.connection.prepare_threshold = None
    try:
        before = prepared()
        with prepared_cursor() as cursor:
            cursor.execute("SELECT %s::int - 7", [9])
            assert cursor.fetchone() == (2,)
        assert prepared() == before
    finally:
        connection.connection.prepare_threshold = threshold
