"""Why a run should not go on now. Any one signal holds it; what cannot be read holds nothing.

A signal that has begun to hold lets go only well below its limit, or a run would stutter around it.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from kombu.exceptions import OperationalError as QueueError
from redis.exceptions import RedisError

from backfills.models import BackfillGlobalPause
from common.queue_latency import queue_latency_seconds
from common.response_times import recent_p95_ms

log = logging.getLogger(__name__)

_LETS_GO_AT = 0.9  # of the limit
_LOOK_SECONDS = 1.0
BASELINE_SECONDS = 300
_CURRENT_SECONDS = 20


class Signal(NamedTuple):
    signal: str
    value: float
    limit: float
    words: str


def exceeded_signals(readings: Sequence[Signal], holding: frozenset[str]) -> tuple[str, frozenset[str]]:
    """(the sentences of all signals that hold, "" for none; which they are). `holding` did a moment ago."""
    over = [one for one in readings if one.value > one.limit * (_LETS_GO_AT if one.signal in holding else 1)]
    return "; ".join(one.words for one in over), frozenset(one.signal for one in over)


@dataclass
class Throttle:
    """Asks the signals once a second at most. `baseline_p95_ms` is what reads took before the run."""

    baseline_p95_ms: float | None
    _looked_at: float = 0.0
    _reason: str = ""
    _holding: frozenset[str] = field(default_factory=frozenset)

    def throttle_reason(self) -> str:
        if time.monotonic() - self._looked_at >= _LOOK_SECONDS:
            found = (_hold(), *_sessions(), _queue_age(), self._response_time())
            readings = [reading for reading in found if reading]
            self._reason, self._holding = exceeded_signals(readings, self._holding)
            self._looked_at = time.monotonic()
        return self._reason

    def _response_time(self) -> Signal | None:
        """The budget that users see: API reads may take so much longer than before the run, and no more."""
        if self.baseline_p95_ms is None:
            return None
        p95_ms = _or_none(lambda: recent_p95_ms(seconds=_CURRENT_SECONDS, min_count=settings.BACKFILLS_MIN_REQUESTS))
        if p95_ms is None:
            return None
        limit = self.baseline_p95_ms * (1 + settings.BACKFILLS_MAX_SLOWDOWN)
        words = f"API reads take {p95_ms:.0f} ms (p95); the limit is {limit:.0f} ms"
        return Signal("response time", p95_ms, limit, words)


def measure_baseline() -> float | None:
    """p95 of API reads in the last minutes; None where there were too few to say."""
    return _or_none(lambda: recent_p95_ms(seconds=BASELINE_SECONDS, min_count=settings.BACKFILLS_MIN_REQUESTS))


def _or_none(read: Callable[[], float | None]) -> float | None:
    try:
        return read()
    except (RedisError, QueueError):
        log.warning("a signal of the throttle cannot be read", exc_info=True)
        return None


def _hold() -> Signal | None:
    hold = BackfillGlobalPause.objects.first()
    return Signal("hold", 1, 0, f"Held by {hold.held_by}: {hold.reason}") if hold else None


def _sessions() -> tuple[Signal, Signal]:
    """Other sessions of this database: how many wait for a lock, how many are at work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE wait_event_type = 'Lock'), count(*) FILTER (WHERE state = 'active')"
            " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        waiting, active = cursor.fetchone()
    waits_limit, active_limit = settings.BACKFILLS_MAX_LOCK_WAITS, settings.BACKFILLS_MAX_ACTIVE_CONNECTIONS
    return (
        Signal("lock waits", waiting, waits_limit, f"{waiting} sessions wait for a lock; the limit is {waits_limit}"),
        Signal("connections", active, active_limit, f"{active} sessions are at work; the limit is {active_limit}"),
    )


def _queue_age() -> Signal | None:
    seconds = _or_none(queue_latency_seconds)
    limit = settings.BACKFILLS_MAX_QUEUE_SECONDS
    if seconds is None:
        return None
    return Signal("queue", seconds, limit, f"The oldest task waits for {seconds:.0f} s; the limit is {limit:.0f} s")
