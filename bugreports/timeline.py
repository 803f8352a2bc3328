"""Merge a client's logs and requests into one timeline. The client's timestamps are parsed leniently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bugreports.fingerprint import has_failed
from bugreports.fingerprint import is_error as is_error_log
from common.datetimes import parse_datetime


@dataclass(frozen=True)
class TimelineEntry:
    """One log entry or one request. `timestamp` is None if `raw_timestamp` is no date."""

    is_request: bool
    timestamp: datetime | None
    raw_timestamp: str
    level: str
    title: str
    is_error: bool
    source: Mapping[str, Any]


def parse_client_timestamp(text: object) -> datetime | None:
    """Return the datetime in UTC, or None for text that is no date."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def build_timeline(recent_logs: Sequence[Any], network_events: Sequence[Any]) -> list[TimelineEntry]:
    """Return the entries, oldest first. An entry without a timestamp stays after the entry that preceded it."""
    sortable: list[tuple[datetime, int, TimelineEntry]] = []
    for sources, build in ((recent_logs, _log_entry), (network_events, _request_entry)):
        last = datetime.min.replace(tzinfo=UTC)
        for source in reversed(sources):  # clients send the newest first
            if isinstance(source, Mapping):
                entry = build(source)
                last = entry.timestamp or last
                sortable.append((last, len(sortable), entry))
    return [entry for _, _, entry in sorted(sortable, key=lambda item: item[:2])]


def failed_requests(network_events: Sequence[Any]) -> list[TimelineEntry]:
    """Return the failed requests, newest first."""
    return [_request_entry(event) for event in network_events if isinstance(event, Mapping) and has_failed(event)]


def _log_entry(log: Mapping[str, Any]) -> TimelineEntry:
    level, raw = str(log.get("level", "")).lower()[:10], str(log.get("timestamp", ""))
    message = str(log.get("message", ""))
    return TimelineEntry(False, parse_client_timestamp(raw), raw, level, message, is_error_log(log), log)


def _request_entry(event: Mapping[str, Any]) -> TimelineEntry:
    raw = str(event.get("started_at", ""))
    outcome = event.get("status") or event.get("error") or "no response"
    duration = f", {event['duration_ms']} ms" if isinstance(event.get("duration_ms"), (int, float)) else ""
    title = f"{event.get('method', '')} {event.get('url', '')}: {outcome}{duration}"
    return TimelineEntry(True, parse_client_timestamp(raw), raw, "request", title, has_failed(event), event)
