"""One circuit breaker for each Valkey server, shared by cache, throttling, response times and the queue."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from urllib.parse import urlsplit

import redis
from django.conf import settings
from kombu.exceptions import OperationalError as QueueError
from redis.exceptions import ConnectionError as ValkeyConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as ValkeyTimeoutError

from common.circuit_breaker import CircuitBreaker


class CircuitOpen(ValkeyConnectionError):
    """The server did not respond to an earlier call, so it was not called."""


@contextmanager
def call_valkey(url: str) -> Iterator[None]:
    """Guard one call of the server at `url`. Raises CircuitOpen at once while the server does not respond."""
    breaker = breaker_for(url)
    if breaker.is_open:
        raise CircuitOpen("Valkey does not respond")
    try:
        yield
    except (ValkeyConnectionError, ValkeyTimeoutError, QueueError) as error:
        breaker.open(f"{type(error).__name__}: {error}")
        raise


@cache
def breaker_for(url: str) -> CircuitBreaker:
    """Return the breaker of the server, which may have several URLs: for a socket, or with the number of a database."""
    parts = urlsplit(url)
    location = f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else f"unix://{parts.path}"
    return _breaker_at(location, url.replace("redis+socket://", "unix://", 1))


_breakers: dict[str, CircuitBreaker] = {}


def _breaker_at(location: str, url: str) -> CircuitBreaker:
    return _breakers.setdefault(location, CircuitBreaker(f"valkey {location}", lambda: _responds(url)))


def _responds(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, **settings.VALKEY_CONNECTION_OPTIONS) as client:
            return bool(client.ping())
    except RedisError:
        return False
