"""How long requests take, counted by all web processes together in Valkey: a histogram for each ten seconds.

A process keeps counts for itself and adds them now and then, so that a request pays for an addition in memory.
"""

import logging
import math
import threading
import time
from collections import Counter
from functools import cache

import redis
from django.conf import settings
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

_SLOT_SECONDS = 10
_KEPT_SECONDS = 900
_FLUSH_SECONDS = 2.0
_REST_SECONDS = 30.0  # after a flush that failed: requests must not wait for a Valkey that hangs
_STEP = 1.02  # neighbouring bars are 2 % apart: fine enough to see a tenth more
_lock = threading.Lock()
_counts: Counter[tuple[int, int]] = Counter()
_next_flush = time.monotonic()


@cache
def _valkey() -> redis.Redis:
    location = settings.CACHES["default"]["LOCATION"]
    return redis.Redis.from_url(location, socket_connect_timeout=0.5, socket_timeout=0.5, decode_responses=True)


def _key(slot: int) -> str:
    return f"{settings.CACHES['default']['KEY_PREFIX']}-response-times-{slot}"


def record_response_time(duration_ms: float) -> None:
    """Never raises: that a figure is lost is no reason to fail a request."""
    global _next_flush
    bar = math.floor(math.log(max(duration_ms, 0.01), _STEP))
    with _lock:
        _counts[int(time.time()) // _SLOT_SECONDS, bar] += 1
        if time.monotonic() < _next_flush:
            return
        _next_flush = time.monotonic() + _FLUSH_SECONDS
        counts = _counts.copy()
        _counts.clear()
    if not _flush(counts):
        _next_flush = time.monotonic() + _REST_SECONDS


def flush() -> None:
    """Write what this process has counted; for tests and measurements."""
    with _lock:
        counts = _counts.copy()
        _counts.clear()
    _flush(counts)


def _flush(counts: Counter[tuple[int, int]]) -> bool:
    try:
        with _valkey().pipeline(transaction=False) as pipe:
            for (slot, bar), count in counts.items():
                pipe.hincrby(_key(slot), str(bar), count)
            for slot in {slot for slot, _ in counts}:
                pipe.expire(_key(slot), _KEPT_SECONDS)
            pipe.execute()
    except RedisError:
        log.warning("response times were not counted", exc_info=True)
        return False
    return True


def recent_p95_ms(*, seconds: int, min_count: int) -> float | None:
    """Of requests in the last `seconds`; None for fewer than `min_count`. Raises RedisError."""
    now = int(time.time()) // _SLOT_SECONDS
    bars: Counter[int] = Counter()
    with _valkey().pipeline(transaction=False) as pipe:
        for slot in range(now - seconds // _SLOT_SECONDS, now + 1):
            pipe.hgetall(_key(slot))
        for found in pipe.execute():
            bars.update({int(bar): int(count) for bar, count in found.items()})
    total = bars.total()
    if total < min_count:
        return None
    passed = 0
    for bar in sorted(bars):
        passed += bars[bar]
        if passed >= 0.95 * total:
            break
    return _STEP ** (bar + 1)
