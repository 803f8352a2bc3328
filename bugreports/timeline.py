"""What a client logged and asked for, as one sequence in time; clocks and formats of clients are not trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bugreports.fingerprint import has_failed, is_error


@dataclass(frozen=True)
class TimelineEntry:
    """One log entry or one request. `at` is None where the client's moment could not be read."""

    is_request: bool
    at: datetime | None
    raw_timestamp: str
    level: str
    title: str
    is_bad: bool
    source: Mapping[str, Any]


def read_moment(text: object) -> datetime | None:
    """Leniently: what cannot be read is no moment."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def build_timeline(recent_logs: Sequence[Any], network_events: Sequence[Any]) -> list[TimelineEntry]:
    """Oldest first. An entry without a moment stays beside the entry it came after."""
    placed: list[tuple[datetime, int, TimelineEntry]] = []
    beginning = datetime.min.replace(tzinfo=UTC)
    for entries, make in ((recent_logs, _logged), (network_events, _asked)):
        last = beginning
        for entry in reversed(entries):  # they come newest first
            if isinstance(entry, Mapping):
                happening = make(entry)
                last = happening.at or last
                placed.append((last, len(placed), happening))
    return [happening for _, _, happening in sorted(placed, key=lambda one: one[:2])]


def failed_requests(network_events: Sequence[Any]) -> list[TimelineEntry]:
    """Newest first, as they came."""
    return [_asked(event) for event in network_events if isinstance(event, Mapping) and has_failed(event)]


def _logged(entry: Mapping[str, Any]) -> TimelineEntry:
    level = str(entry.get("level", "")).lower()[:10]
    said = str(entry.get("timestamp", ""))
    return TimelineEntry(False, read_moment(said), said, level, str(entry.get("message", "")), is_error(entry), entry)


def _asked(event: Mapping[str, Any]) -> TimelineEntry:
    said = str(event.get("started_at", ""))
    outcome = event.get("status") or event.get("error") or "no answer"
    took = f", {event['duration_ms']} ms" if isinstance(event.get("duration_ms"), (int, float)) else ""
    title = f"{event.get('method', '')} {event.get('url', '')}: {outcome}{took}"
    return TimelineEntry(True, read_moment(said), said, "request", title, has_failed(event), event)
