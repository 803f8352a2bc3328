"""Throttle signals, measured on real locks, sessions, queues and response times."""

import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from backfills import run_control
from backfills.models import BackfillGlobalPause
from common import response_times
from common.queue_latency import queue_key, queue_latency_seconds
from jobs.runner import acquire_lease, run_batches
from jobs.throttle import Signal, Throttle, exceeded_signals, measure_baseline
from tests.factories.assets import make_assets
from tests.support.backfills import BY, DescribeByName, run_of, started

pytestmark = pytest.mark.django_db


def test_a_signal_throttles_above_its_limit_and_releases_below_90_percent() -> None:
    def at(value: float) -> list[Signal]:
        return [Signal("locks", value, 10, f"{value} waits"), Signal("queue", 0, 5, "never notes")]

    reason, active = exceeded_signals(at(11), frozenset())
    assert (reason, active) == ("11 waits", {"locks"})
    assert exceeded_signals(at(9.5), active) == ("9.5 waits", {"locks"})
    assert exceeded_signals(at(9.5), frozenset()) == ("", frozenset())
    assert exceeded_signals(at(8.9), active) == ("", frozenset())


def test_a_global_pause_takes_effect_at_the_next_poll() -> None:
    make_assets(15)
    context = started(DescribeByName())
    one = Throttle(None, BackfillGlobalPause, poll_interval_seconds=0)
    run_control.pause_all(by=BY, reason="release day", now=timezone.now())
    assert (
        run_batches(
            context, acquire_lease(context, now=timezone.now()), clock=timezone.now, throttle_reason=one.throttle_reason
        )
        is None
    )
    run = run_of(context)
    assert (run.state, run.changed_rows, run.wait_reason) == (
        "running",
        0,
        f"All runs were paused by {BY}: release day",
    )
    run_control.resume_all()
    assert one.throttle_reason() == ""


@pytest.mark.django_db(transaction=True)
def test_sessions_that_wait_for_locks_throttle(settings: Settings) -> None:
    settings.JOBS_MAX_LOCK_WAITS = 0
    assert Throttle(None, BackfillGlobalPause).throttle_reason() == ""
    key = uuid.uuid4().int % 2**31
    release = threading.Event()

    def session(*, holds: bool) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [key])
            if holds:
                release.wait(20)
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
        connection.close()

    holder = threading.Thread(target=session, kwargs={"holds": True})
    waiter = threading.Thread(target=session, kwargs={"holds": False})
    holder.start()
    time.sleep(0.3)
    waiter.start()
    try:
        deadline = time.monotonic() + 10
        while not (reason := Throttle(None, BackfillGlobalPause).throttle_reason()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert reason == "1 sessions wait for a lock (limit 0)"
    finally:
        release.set()
        holder.join()
        waiter.join()


@pytest.fixture
def queue() -> Iterator[str]:
    name = f"tests-{uuid.uuid4().hex}"
    yield name
    with current_app.pool.acquire(block=True) as held:
        held.default_channel.client.delete(name)


def test_the_age_of_the_oldest_task_is_read_from_the_queue_itself(queue: str) -> None:
    assert queue_latency_seconds(queue) == 0
    for task in ("one", "two"):
        current_app.send_task(f"tests.{task}", queue=queue)
    with current_app.pool.acquire(block=True) as held:
        client = held.default_channel.client
        newest, oldest = (json.loads(text) for text in client.lrange(queue_key(queue), 0, -1))
        assert (newest["headers"]["task"], oldest["headers"]["task"]) == ("tests.two", "tests.one")
        oldest["headers"]["sent_at"] -= 90
        client.lset(queue_key(queue), -1, json.dumps(oldest))
    assert 90 <= queue_latency_seconds(queue) < 95


def test_an_old_task_in_the_queue_throttles(settings: Settings) -> None:
    settings.JOBS_MAX_QUEUE_SECONDS = 60
    throttle = Throttle(None, BackfillGlobalPause, queue_latency=lambda: 75.0)
    assert throttle.throttle_reason() == "The oldest task has waited for 75 s (limit 60 s)"


def _use_cache(settings: Settings, **options: str) -> None:
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | options}


@pytest.fixture
def counters(settings: Settings) -> None:
    """Count from zero: earlier counts go to the old key prefix."""
    response_times.flush()
    _use_cache(settings, KEY_PREFIX=uuid.uuid4().hex)


@pytest.mark.usefixtures("counters")
def test_slower_reads_than_the_baseline_throttle(settings: Settings) -> None:
    settings.JOBS_MIN_REQUESTS = 50
    assert measure_baseline() is None, "too few requests"
    for _ in range(100):
        response_times.record_response_time(20.0)
    response_times.flush()
    baseline = measure_baseline()
    assert baseline == pytest.approx(20, rel=0.03)
    assert Throttle(baseline, BackfillGlobalPause).throttle_reason() == ""
    for _ in range(20):
        response_times.record_response_time(60.0)
    response_times.flush()
    assert Throttle(baseline, BackfillGlobalPause).throttle_reason().startswith("API reads take 6")


@pytest.mark.usefixtures("counters")
def test_reads_of_assets_are_counted_and_nothing_else(client: Client) -> None:
    client.get("/api/assets")
    client.get("/api/health")
    client.post("/api/assets")
    response_times.flush()
    assert response_times.recent_p95_ms(seconds=60, min_count=1) is not None
    assert response_times.recent_p95_ms(seconds=60, min_count=2) is None


@pytest.mark.usefixtures("counters")
def test_a_hanging_valkey_delays_one_request_only(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        _use_cache(settings, LOCATION=f"redis://127.0.0.1:{hanging.getsockname()[1]}/0")
        started = time.monotonic()
        for _ in range(100):
            response_times.record_response_time(20.0)
        assert time.monotonic() - started < 10, "each request waited for Valkey"
        hanging.setblocking(False)
        hanging.accept()[0].close()
        with pytest.raises(BlockingIOError):
            hanging.accept()
        response_times.flush()
        assert measure_baseline() is None
