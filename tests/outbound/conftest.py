from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from outbound import FetchPolicy
from tests.support.bad_server import bad_server
from tests.support.source_server import SourceServer


@pytest.fixture
def server(settings: Settings) -> Iterator[SourceServer]:
    with bad_server() as running:
        for name, value in running.settings.items():
            setattr(settings, name, value)
        yield running


@pytest.fixture
def policy() -> Callable[..., FetchPolicy]:
    """Make policies that allow any host and small bodies, otherwise with the default timeouts."""

    def make(**changed: Any) -> FetchPolicy:
        return FetchPolicy(**{"is_allowed_host": lambda host: True, "max_bytes": 1024 * 1024} | changed)

    return make


@pytest.fixture
def hurried(policy: Callable[..., FetchPolicy]) -> Callable[..., FetchPolicy]:
    """Make policies with a timeout of a fraction of a second."""

    def make(**changed: Any) -> FetchPolicy:
        quick = {"first_byte_seconds": 0.6, "total_seconds": 4, "min_rate_window_seconds": 0.4}
        return policy(**quick | changed)

    return make
