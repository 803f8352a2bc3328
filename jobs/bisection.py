"""Find the rows a database refuses among many it takes."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import DatabaseError, OperationalError, transaction

T = TypeVar("T")

# Deadlock, serialization failure, lock not available, statement timeout: worth another try.
_PASSING = frozenset({"40P01", "40001", "55P03", "57014"})


def bisect_failures(items: Sequence[T], do: Callable[[Sequence[T]], Any]) -> list[tuple[T, str]]:
    """Call `do` with all; where the database refuses, with each half, and so on. The refused items with the reason.

    What has nothing to do with the items (a lock, a lost connection) is raised.
    """
    if not items:
        return []
    try:
        with transaction.atomic():
            do(items)
    except OperationalError:
        raise
    except DatabaseError as error:
        if len(items) == 1:
            return [(items[0], database_message(error))]
        middle = len(items) // 2
        return bisect_failures(items[:middle], do) + bisect_failures(items[middle:], do)
    return []


def is_transient(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _PASSING


def database_message(error: DatabaseError) -> str:
    diagnosis = getattr(error.__cause__, "diag", None)
    return (getattr(diagnosis, "message_primary", None) or str(error)).strip()[:500]
