"""Statements that PostgreSQL plans once for each connection, because planning takes longer than running them.

DATABASE_PREPARED_STATEMENTS turns this off, for poolers that give each transaction another connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper


class _PreparedCursor(ServerBindingCursor):
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query, params, prepare=True, **options)

    def _send_query_prepared(self, name: bytes, pgq: Any, *, binary: bool | None = None) -> None:
        self._query = pgq  # as psycopg does for other statements: Django logs statements from it
        super()._send_query_prepared(name, pgq, binary=binary)


@contextmanager
def prepared_cursor() -> Iterator[CursorWrapper]:
    """Yield a cursor for statements of few distinct texts; values belong into the parameters, without exception.

    The types of parameters are inferred from the statement, so `%s::text` is necessary where any type would do.
    """
    with connection.cursor() as cursor:
        cursor.cursor = _PreparedCursor(connection.connection)
        yield cursor
