"""Decide whether a run must wait. One signal above its limit is enough; a signal that cannot be read is ignored.

Hysteresis: once a signal has throttled a run, the run continues only below 90 % of the limit, so that it does not flap.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from kombu.exceptions import OperationalError as QueueError
from redis.exceptions import RedisError

from common.queue_latency import queue_latency_seconds
from common.response_times import recent_p95_ms

log = logging.getLogger(__name__)

_RELEASE_SHARE = 0.9  # of the limit
BASELINE_SECONDS = 300
_CURRENT_SECONDS = 20


class Signal(NamedTuple):
    """A measured value, its limit, and the message shown while the value is above the limit."""

    name: str
    value: float
    limit: float
    message: str


def exceeded_signals(signals: Sequence[Signal], active: frozenset[str]) -> tuple[str, frozenset[str]]:
    """Return the messages ("" for none) and the names of the signals above their limit.

    `active` are the names of the previous call; their limit is lower.
    """
    over = [one for one in signals if one.value > one.limit * (_RELEASE_SHARE if one.name in active else 1)]
    return "; ".join(one.message for one in over), frozenset(one.name for one in over)


@dataclass
class Throttle:
    """Read the signals every `poll_interval_seconds` at most. `baseline_p95_ms` was measured before the run."""

    baseline_p95_ms: float | None
    global_pause: Any
    poll_interval_seconds: float = 1.0
    queue_latency: Callable[[], float | None] = queue_latency_seconds
    _checked_at: float = 0.0
    _reason: str = ""
    _active: frozenset[str] = field(default_factory=frozenset)

    def throttle_reason(self) -> str:
        if time.monotonic() - self._checked_at >= self.poll_interval_seconds:
            found = (self._pause(), *_sessions(), self._queue_signal(), self._response_time())
            self._reason, self._active = exceeded_signals([signal for signal in found if signal], self._active)
            self._checked_at = time.monotonic()
        return self._reason

    def _pause(self) -> Signal | None:
        pause = self.global_pause.objects.first()
        return Signal("global pause", 1, 0, pause_message(pause)) if pause else None

    def _queue_signal(self) -> Signal | None:
        seconds, limit = _or_none(self.queue_latency), settings.JOBS_MAX_QUEUE_SECONDS
        if seconds is None:
            return None
        return Signal("queue", seconds, limit, f"The oldest task has waited for {seconds:.0f} s (limit {limit:.0f} s)")

    def _response_time(self) -> Signal | None:
        """Compare API reads with the baseline. The limit is the baseline plus JOBS_MAX_SLOWDOWN."""
        if self.baseline_p95_ms is None:
            return None
        p95_ms = _or_none(lambda: recent_p95_ms(seconds=_CURRENT_SECONDS, min_count=settings.JOBS_MIN_REQUESTS))
        if p95_ms is None:
            return None
        limit = self.baseline_p95_ms * (1 + settings.JOBS_MAX_SLOWDOWN)
        message = f"API reads take {p95_ms:.0f} ms (p95, limit {limit:.0f} ms)"
        return Signal("response time", p95_ms, limit, message)


def pause_message(pause: Any) -> str:
    return f"All runs were paused by {pause.paused_by}: {pause.reason}"


def measure_baseline() -> float | None:
    """Return the p95 of API reads in the last five minutes; None if there were too few requests."""
    return _or_none(lambda: recent_p95_ms(seconds=BASELINE_SECONDS, min_count=settings.JOBS_MIN_REQUESTS))


def _or_none(read: Callable[[], float | None]) -> float | None:
    try:
        return read()
    except (RedisError, QueueError):
        log.warning("throttle signal unreadable", exc_info=True)
        return None


def _sessions() -> tuple[Signal, Signal]:
    """Count the other sessions of this database that wait for a lock, and those that execute a statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE wait_event_type = 'Lock'), count(*) FILTER (WHERE state = 'active')"
            " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        waiting, active = cursor.fetchone()
    waits_limit, active_limit = settings.JOBS_MAX_LOCK_WAITS, settings.JOBS_MAX_ACTIVE_CONNECTIONS
    return (
        Signal("lock waits", waiting, waits_limit, f"{waiting} sessions wait for a lock (limit {waits_limit})"),
        Signal("connections", active, active_limit, f"{active} database sessions are active (limit {active_limit})"),
    )
