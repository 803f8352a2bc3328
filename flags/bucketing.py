"""Stable buckets of callers in a rollout. Pure."""

import hashlib
from decimal import Decimal


def bucket_of(flag_name: str, targeting_key: str) -> Decimal:
    """Return the bucket of a caller for this flag, 0.00 to 99.99. Buckets of two flags are independent."""
    digest = hashlib.sha256(f"{flag_name}\x00{targeting_key}".encode()).digest()
    return Decimal(int.from_bytes(digest[:8], "big") % 10_000) / 100


def is_in_percentage(flag_name: str, targeting_key: str, percent: Decimal | float) -> bool:
    """True if the bucket is below `percent`, so a higher percentage only adds callers."""
    return bucket_of(flag_name, targeting_key) < Decimal(str(percent))
