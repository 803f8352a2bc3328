"""Parse the header Retry-After: seconds or a date."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MAX_SENSIBLE_SECONDS = 30 * 86_400


def parse_retry_after(text: str, now: datetime) -> int | None:
    """Return the seconds from `now`, 0 for a past date, or None if the value is invalid or over 30 days."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        seconds = int(text) if len(text) < 10 else None
    else:
        seconds = _seconds_until(text, now)
    return seconds if seconds is not None and seconds <= _MAX_SENSIBLE_SECONDS else None


def _seconds_until(text: str, now: datetime) -> int | None:
    try:
        timestamp = parsedate_to_datetime(text)
        # RFC 9110 allows only UTC, so a date without a zone is in UTC.
        aware = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
        return max(0, round((aware - now).total_seconds()))
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
