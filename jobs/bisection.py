"""Find the rows that the database rejects in a set of rows."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import DatabaseError, OperationalError, transaction

T = TypeVar("T")

# Deadlock, serialization failure, lock not available, statement timeout: a retry may succeed.
_TRANSIENT = frozenset({"40P01", "40001", "55P03", "57014"})


def bisect_failures(items: Sequence[T], write: Callable[[Sequence[T]], Any]) -> list[tuple[T, str]]:
    """Call `write` with all items, and with each half where the database rejects them.

    Return the rejected items with the reasons. Raises OperationalError (a lock, a lost connection), because smaller
    sets would fail in the same way.
    """
    if not items:
        return []
    try:
        with transaction.atomic():
            write(items)
    except OperationalError:
        raise
    except DatabaseError as error:
        if len(items) == 1:
            return [(items[0], database_message(error))]
        middle = len(items) // 2
        return bisect_failures(items[:middle], write) + bisect_failures(items[middle:], write)
    return []


def is_transient(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _TRANSIENT


def database_message(error: DatabaseError) -> str:
    diagnosis = getattr(error.__cause__, "diag", None)
    return (getattr(diagnosis, "message_primary", None) or str(error)).strip()[:500]
