"""Moments on the wire: ISO 8601, UTC, milliseconds, `Z`."""

from datetime import UTC, datetime


def format_timestamp(timestamp: datetime) -> str:
    """`2025-07-12T20:12:27.648Z`; microseconds are cut, not rounded, so a moment never moves forward."""
    utc = timestamp.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
