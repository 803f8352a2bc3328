"""What every test can ask for."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from flags.models import STATES_KEY


@pytest.fixture(autouse=True)
def forget_flags() -> Iterator[None]:
    """A test's transaction is rolled back; what it left in the cache about flags is not."""
    yield
    cache.delete(STATES_KEY)
