"""Logs and requests in one sequence, also with wrong times of the client."""

from bugreports.timeline import build_timeline, failed_requests, parse_client_timestamp


def log(timestamp: object, message: str, level: str = "info") -> dict:
    return {"level": level, "message": message, "timestamp": timestamp}


def request(started_at: str, status: int | None = 200, **more: object) -> dict:
    return {"method": "GET", "url": "/x", "started_at": started_at, "status": status, **more}


def titles(logs: list, requests: list) -> list[str]:
    return [entry.title for entry in build_timeline(logs, requests)]


def test_entries_are_sorted_by_time() -> None:
    logs = [log("2026-02-12T13:05:03Z", "c"), log("2026-02-12T14:05:01+01:00", "a")]
    assert titles(logs, [request("2026-02-12T13:05:02.5Z")]) == ["a", "GET /x: 200", "c"]


def test_an_entry_without_a_time_follows_its_predecessor() -> None:
    logs = [log("2026-02-12T13:05:09Z", "d"), log("not-a-date", "c"), log("2026-02-12T13:05:01Z", "b"), log(None, "a")]
    assert titles(logs, [request("2026-02-12T13:05:05Z")]) == ["a", "b", "c", "GET /x: 200", "d"]


def test_errors_and_failures_are_marked() -> None:
    happenings = build_timeline(
        [log("", "x", "ERROR"), log("", "y", "warn")], [request("", 500), request("", None, ok=True)]
    )
    assert [(one.title, one.is_error) for one in happenings] == [
        ("y", False), ("x", True), ("GET /x: no response", False), ("GET /x: 500", True),
    ]  # fmt: skip


def test_failed_requests_are_found() -> None:
    requests = [
        request("", 200),
        request("", 404, duration_ms=3),
        request("", None, error="TypeError: Failed to fetch"),
    ]
    assert [one.title for one in failed_requests(requests)] == [
        "GET /x: 404, 3 ms",
        "GET /x: TypeError: Failed to fetch",
    ]


def test_any_text_is_accepted_as_a_time() -> None:
    for text in (None, 5, "", "yesterday", "x" * 100, "2026-13-45", "0001-01-01T00:00:00+14:00", {}):
        assert parse_client_timestamp(text) is None
    assert parse_client_timestamp("2026-02-12 13:05:06").hour == 13


def test_invalid_entries_are_skipped() -> None:
    assert build_timeline(["[Truncated]", None], [5]) == []
