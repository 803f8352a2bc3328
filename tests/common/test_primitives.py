"""Small shared rules: retry delays, datetimes, reasons, registries, the Forbidden kind."""

import random
from datetime import UTC, datetime

import pytest

from api.exception_handler import status_of
from common import health_checks, metrics
from common.datetimes import parse_datetime
from common.errors import Forbidden, InvalidInput
from common.reasons import MAX_REASON_LENGTH, clean_reason
from common.retry import backoff_seconds, with_retry_after

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_delays_grow_fourfold_and_vary_within_the_jitter():
    rng = random.Random(1)
    for attempt, expected in ((1, 10), (2, 40), (3, 160)):
        delays = [backoff_seconds(attempt, base_seconds=10, rng=rng) for _ in range(200)]
        assert expected * 0.6 <= min(delays) < expected < max(delays) <= expected * 1.4


def test_waits_as_long_as_the_server_requires_up_to_the_limit():
    assert with_retry_after(10, None, max_seconds=3600) == 10
    assert with_retry_after(10, 60, max_seconds=3600) == 60
    assert with_retry_after(10, 86_400, max_seconds=3600) == 3600


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-12", datetime(2026, 2, 12, tzinfo=UTC)),
        ("2026-02-12T13:05:00", datetime(2026, 2, 12, 13, 5, tzinfo=UTC)),
        (" 2026-02-12T13:05:00Z ", datetime(2026, 2, 12, 13, 5, tzinfo=UTC)),
        ("2026-02-12T13:05:00+02:00", datetime(2026, 2, 12, 11, 5, tzinfo=UTC)),
    ],
)
def test_parses_datetimes_as_utc(text, expected):
    parsed = parse_datetime(text)
    assert (parsed, parsed.tzinfo) == (expected, UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00"])
def test_rejects_text_that_is_no_datetime(text):
    with pytest.raises(ValueError, match=r".+"):
        parse_datetime(text)


def test_reasons_are_stripped_required_and_limited():
    assert clean_reason("  typo ", purpose="the flag changes") == "typo"
    assert clean_reason(" ", purpose="the flag changes", is_required=False) == ""
    with pytest.raises(InvalidInput, match="reason is required: say why the flag changes"):
        clean_reason(" ", purpose="the flag changes")
    with pytest.raises(InvalidInput, match="retain_reason must be at most 200 characters, not 201"):
        clean_reason("x" * (MAX_REASON_LENGTH + 1), purpose="the report stays", field="retain_reason")


def test_registries_reject_a_second_source_of_one_name(monkeypatch):
    monkeypatch.setattr(metrics, "_sources", {})
    monkeypatch.setattr(health_checks, "_checks", {})

    def count(now: datetime) -> dict[str, str]:
        return {"at": now.isoformat()}

    for _ in range(2):
        metrics.register_metrics("rows", count)
    assert metrics.collect_metrics("rows", NOW) == {"at": "2026-03-01T00:00:00+00:00"}
    with pytest.raises(ValueError, match="registered twice"):
        metrics.register_metrics("rows", lambda now: None)

    def responds() -> bool:
        return True

    health_checks.register_health_check("search", responds)
    assert health_checks.run_health_check("search") is True
    with pytest.raises(ValueError, match="registered twice"):
        health_checks.register_health_check("search", lambda: False)


def test_forbidden_is_403():
    assert status_of(Forbidden("Only superusers may do this")) == 403
