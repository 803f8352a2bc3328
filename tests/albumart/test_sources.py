"""Which source covers a host, when it may be requested, and how fast."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from albumart import rate_limits
from albumart.errors import Deferred
from albumart.models import ArtworkSource, CircuitChange
from albumart.rate_limits import acquire_slot
from albumart.sources import (
    check_circuit,
    current_sources,
    match_source,
    record_failure,
    record_rate_limited,
    record_success,
    reset_circuit,
    url_host,
)
from tests.factories.albumart import ArtworkSourceFactory

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("host", "pattern"),
    [
        ("is1-ssl.mzstatic.com", ".mzstatic.com"),
        ("mzstatic.com", None),
        ("evilmzstatic.com", None),
        ("is1-ssl.mzstatic.com.evil.example", None),
        ("coverartarchive.org", "coverartarchive.org"),
        ("ia800.us.archive.org", ".archive.org"),
    ],
)
def test_a_source_matches_only_its_hosts(host: str, pattern: str | None) -> None:
    found = match_source(host, current_sources())
    assert (found.pattern if found else None) == pattern


def test_hosts_of_the_environment_are_added_and_can_be_disabled(settings: Settings) -> None:
    settings.ALBUMART_ALLOWED_HOSTS = ["Covers.Example"]
    assert match_source("covers.example", current_sources()) is not None
    ArtworkSource.objects.filter(pattern="covers.example").update(is_enabled=False)
    assert match_source("covers.example", current_sources()) is None


def test_a_host_is_parsed_from_any_text() -> None:
    assert url_host("https://A.example:9/x") == "a.example"
    assert url_host("https://[bad") == ""


def _fail(source: ArtworkSource, times: int, at: datetime = NOW) -> None:
    for _ in range(times):
        record_failure(source.pk, "it is ill", now=at)


def test_the_circuit_opens_and_closes_after_consecutive_results() -> None:
    source = ArtworkSourceFactory()
    _fail(source, 4)
    check_circuit(source.pk, NOW)
    _fail(source, 1)
    with pytest.raises(Deferred, match="keeps failing") as wait:
        check_circuit(source.pk, after(1))
    assert wait.value.seconds == 59
    for turn in range(3):
        started = after(61 + turn)
        check_circuit(source.pk, started)
        with pytest.raises(Deferred):
            check_circuit(source.pk, started)  # one at a time while it is tried
        record_success(source.pk, started_at=started, now=started)
    source.refresh_from_db()
    assert (source.circuit_state, source.consecutive_failures, source.consecutive_openings) == ("closed", 0, 0)
    moves = list(CircuitChange.objects.order_by("pk").values_list("before", "after"))
    assert moves == [("closed", "open"), ("open", "half_open"), ("half_open", "closed")]


def test_a_response_to_an_earlier_request_does_not_close_the_circuit() -> None:
    source = ArtworkSourceFactory()
    _fail(source, 5)
    for _ in range(5):
        record_success(source.pk, started_at=after(-1), now=after(2))
    source.refresh_from_db()
    assert source.circuit_state == "open"


def test_a_failed_trial_doubles_the_open_time() -> None:
    source = ArtworkSourceFactory()
    _fail(source, 5)
    check_circuit(source.pk, after(61))
    record_failure(source.pk, "still ill", now=after(61))
    with pytest.raises(Deferred) as wait:
        check_circuit(source.pk, after(61))
    assert wait.value.seconds == 120


def test_retry_after_is_respected_within_bounds() -> None:
    source = ArtworkSourceFactory()
    assert record_rate_limited(source.pk, retry_after_seconds=30, error="slow down", now=NOW) == after(30)
    with pytest.raises(Deferred, match="rate limited until"):
        check_circuit(source.pk, after(29))
    check_circuit(source.pk, after(31))
    assert record_rate_limited(source.pk, retry_after_seconds=10**6, error="slow", now=NOW) == after(3600)


def test_a_reset_of_the_circuit_breaker_is_recorded() -> None:
    source = ArtworkSourceFactory()
    _fail(source, 5)
    reset_circuit(source.pk, by="mira@studio.example", now=after(1))
    check_circuit(source.pk, after(1))
    assert CircuitChange.objects.first().changed_by == "mira@studio.example"


def test_all_workers_share_the_rate_limit_of_a_source() -> None:
    source = ArtworkSourceFactory(requests_per_minute=20)
    granted, waits = [], []

    def work() -> None:
        for _ in range(20):
            try:
                acquire_slot(source, datetime.now(UTC).timestamp())
                granted.append(1)
            except Deferred as wait:
                waits.append(wait.seconds)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(granted) == 20
    assert len(waits) == 140
    assert all(1 <= wait <= 61 for wait in waits)


def test_no_request_is_sent_without_the_cache(settings: Settings) -> None:
    rate_limits._limiter.cache_clear()
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    try:
        with pytest.raises(Deferred, match="unavailable"):
            acquire_slot(ArtworkSourceFactory(), 0.0)
    finally:
        rate_limits._limiter.cache_clear()
