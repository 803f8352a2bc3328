"""Advisory locks, with a second connection to the same database."""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from common.advisory_locks import advisory_lock, advisory_lock_key, lock_until_commit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other_gets_lock() -> Iterator[object]:
    copy = connection.copy()

    def try_lock(name: str, function: str = "pg_try_advisory_xact_lock") -> bool:
        with copy.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s::bigint)", [advisory_lock_key(name)])
            return bool(cursor.fetchone()[0])

    yield try_lock
    copy.close()


def test_keeps_others_out_until_the_block_ends(other_gets_lock):
    with advisory_lock("purge") as is_locked:
        assert is_locked
        assert not other_gets_lock("purge")
        assert other_gets_lock("import")
    assert other_gets_lock("purge")


def test_releases_the_lock_after_an_error(other_gets_lock):
    with pytest.raises(ZeroDivisionError), advisory_lock("purge"):
        _ = 1 / 0
    assert other_gets_lock("purge")


def test_does_not_wait_for_a_lock_that_another_connection_has(other_gets_lock):
    assert other_gets_lock("purge", "pg_try_advisory_lock")
    with advisory_lock("purge", wait=False) as is_locked:
        assert not is_locked
    assert other_gets_lock("purge", "pg_advisory_unlock")
    with advisory_lock("purge", wait=False) as is_locked:
        assert is_locked


def test_shares_a_shared_lock_but_not_with_an_exclusive_one(other_gets_lock):
    with advisory_lock("storage", is_shared=True):
        assert other_gets_lock("storage", "pg_try_advisory_xact_lock_shared")
        assert not other_gets_lock("storage")
    assert other_gets_lock("storage")


def test_keeps_a_transaction_lock_until_the_transaction_ends(other_gets_lock):
    with transaction.atomic():
        lock_until_commit("links")
        assert not other_gets_lock("links")
    assert other_gets_lock("links")


def test_rejects_a_transaction_lock_outside_a_transaction():
    with pytest.raises(TransactionManagementError):
        lock_until_commit("links")
