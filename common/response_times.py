"""Histograms of response times in Valkey, shared by all web processes: one for each ten seconds.

A process counts in memory and adds its counts to Valkey every two seconds, so that requests do not wait for Valkey.
"""

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.exceptions import RedisError

from common.valkey import CircuitOpen, call_valkey

log = logging.getLogger(__name__)

_SLOT_SECONDS = 10
_KEPT_SECONDS = 900
_FLUSH_SECONDS = 2.0
_RETRY_SECONDS = 30.0  # after a failed flush, so that requests do not wait for Valkey during an outage
_STEP = 1.02  # buckets are 2 % wide, enough to measure a slowdown of 10 %
_lock = threading.Lock()
_counts: Counter[tuple[int, int]] = Counter()
_next_flush = time.monotonic()


@cache
def _client(location: str) -> redis.Redis:
    return redis.Redis.from_url(location, **settings.VALKEY_CONNECTION_OPTIONS, decode_responses=True)


@contextmanager
def _pipeline() -> Iterator[Any]:
    """Yield a pipeline of the server. Raises RedisError, at once while the server does not respond."""
    location = settings.CACHES["default"]["LOCATION"]
    with call_valkey(location), _client(location).pipeline(transaction=False) as pipe:
        yield pipe


def _key(slot: int) -> str:
    return f"{settings.CACHES['default']['KEY_PREFIX']}-response-times-{slot}"


def record_response_time(duration_ms: float) -> None:
    """Count one response. Never raises, because a lost count must not fail the request."""
    global _next_flush
    bucket = math.floor(math.log(max(duration_ms, 0.01), _STEP))
    with _lock:
        _counts[int(time.time()) // _SLOT_SECONDS, bucket] += 1
        if time.monotonic() < _next_flush:
            return
        _next_flush = time.monotonic() + _FLUSH_SECONDS
        counts = _counts.copy()
        _counts.clear()
    if not _flush(counts):
        _next_flush = time.monotonic() + _RETRY_SECONDS


def flush() -> None:
    """Write the counts of this process now, and let the next response write again; for tests and benchmarks."""
    global _next_flush
    with _lock:
        _next_flush = time.monotonic()
        counts = _counts.copy()
        _counts.clear()
    _flush(counts)


def _flush(counts: Counter[tuple[int, int]]) -> bool:
    try:
        with _pipeline() as pipe:
            for (slot, bucket), count in counts.items():
                pipe.hincrby(_key(slot), str(bucket), count)
            for slot in {slot for slot, _ in counts}:
                pipe.expire(_key(slot), _KEPT_SECONDS)
            pipe.execute()
    except CircuitOpen:
        return False
    except RedisError:
        log.warning("response times not counted", exc_info=True)
        return False
    return True


def recent_p95_ms(*, seconds: int, min_count: int) -> float | None:
    """Return the p95 of the last `seconds`, or None for fewer than `min_count` requests. Raises RedisError."""
    now = int(time.time()) // _SLOT_SECONDS
    buckets: Counter[int] = Counter()
    with _pipeline() as pipe:
        for slot in range(now - seconds // _SLOT_SECONDS, now + 1):
            pipe.hgetall(_key(slot))
        for histogram in pipe.execute():
            buckets.update({int(bucket): int(count) for bucket, count in histogram.items()})
    total = buckets.total()
    if total < min_count:
        return None
    passed = 0
    for bucket in sorted(buckets):
        passed += buckets[bucket]
        if passed >= 0.95 * total:
            break
    return _STEP ** (bucket + 1)
