"""PostgreSQL advisory locks with names."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.transaction import TransactionManagementError


def advisory_lock_key(name: str) -> int:
    """Return the 64-bit key of a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def lock_until_commit(name: str | int) -> None:
    """Wait for the lock and keep it until the transaction ends."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("lock_until_commit needs a transaction")
    _call("pg_advisory_xact_lock", name)


@contextmanager
def advisory_lock(name: str | int, *, is_shared: bool = False, wait: bool = True) -> Iterator[bool]:
    """Hold a lock of this connection. Yield False if `wait` is False and another connection has the lock.

    Use it outside a transaction: after a database error in a transaction it cannot be released before the rollback.
    A number is used as the key itself.
    """
    suffix = "_shared" if is_shared else ""
    is_locked = _call(f"pg_{'' if wait else 'try_'}advisory_lock{suffix}", name) is not False
    try:
        yield is_locked
    finally:
        if is_locked:
            _call(f"pg_advisory_unlock{suffix}", name)


def _call(function: str, name: str | int) -> object:
    key = name if isinstance(name, int) else advisory_lock_key(name)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s::bigint)", [key])
        return cursor.fetchone()[0]
