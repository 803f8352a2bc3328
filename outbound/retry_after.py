"""The header Retry-After: seconds or a date."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MAX_SENSIBLE_SECONDS = 30 * 86_400


def parse_retry_after(text: str, now: datetime) -> int | None:
    """Whole seconds from `now`, 0 for a date that is past; None for what no source can mean."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        seconds = int(text) if len(text) < 10 else None
    else:
        seconds = _seconds_until(text, now)
    return seconds if seconds is not None and seconds <= _MAX_SENSIBLE_SECONDS else None


def _seconds_until(text: str, now: datetime) -> int | None:
    try:
        timestamp = parsedate_to_datetime(text)
        # A date without a zone is in UTC: RFC 9110 knows no other.
        aware = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
        return max(0, round((aware - now).total_seconds()))
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
