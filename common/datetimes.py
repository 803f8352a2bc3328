"""Parse datetimes. Pure."""

from datetime import UTC, datetime


def parse_datetime(text: str) -> datetime:
    """Return an ISO 8601 datetime, or a date as its midnight, in UTC; without an offset it is read as UTC.

    Raises ValueError, also for a datetime that UTC cannot express.
    """
    parsed = datetime.fromisoformat(text.strip())
    try:
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"Datetime out of range: {text!r}") from error
