"""Fixtures of flags: all rows exist and all are off."""

import itertools

import pytest
from django.contrib.auth import get_user_model

from flags.guards import register_guard, unregister_guard
from tests.support.flag_states import set_flags

_numbers = itertools.count()


@pytest.fixture
def seeded(db):
    with set_flags():
        yield


@pytest.fixture
def make_user(db):
    def make(**fields):
        return get_user_model().objects.create_user(f"user{next(_numbers)}@example.com", **fields)

    return make


@pytest.fixture
def superuser(db):
    return get_user_model().objects.create_superuser(f"root{next(_numbers)}@example.com", password="long enough pass")


@pytest.fixture
def block_flag():
    """Register a guard for the test; it blocks while `reason["text"]` is not None."""
    reason = {"text": "its backfill is not finalised"}
    guards = []

    def make(flag_name, above_percent=50):
        guards.append(register_guard(flag_name, above_percent, lambda: reason["text"]))
        return reason

    yield make
    for guard in guards:
        unregister_guard(guard)
