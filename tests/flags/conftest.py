"""Flags start as they are seeded: all there, all off."""

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
def make_person(db):
    def make(**fields):
        return get_user_model().objects.create_user(f"person{next(_numbers)}@example.com", **fields)

    return make


@pytest.fixture
def superuser(db):
    return get_user_model().objects.create_superuser(f"root{next(_numbers)}@example.com", password="long enough pass")


@pytest.fixture
def hold():
    """Hold a flag back while `reason["text"]`, and only until the test ends."""
    reason = {"text": "its backfill is not finalised"}
    held = []

    def make(flag_name, above_percent=50):
        held.append(register_guard(flag_name, above_percent, lambda: reason["text"]))
        return reason

    yield make
    for one in held:
        unregister_guard(one)
