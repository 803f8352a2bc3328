"""A caller's stable place in a rollout."""

import hashlib
from decimal import Decimal


def bucket_of(flag_name: str, caller_id: str) -> Decimal:
    """Where the caller stands for this flag, 0.00 to 99.99; independent from flag to flag."""
    digest = hashlib.sha256(f"{flag_name}\x00{caller_id}".encode()).digest()
    return Decimal(int.from_bytes(digest[:8], "big") % 10_000) / 100


def is_in_percentage(flag_name: str, caller_id: str, percent: Decimal | float) -> bool:
    """Raising `percent` only ever adds callers."""
    return bucket_of(flag_name, caller_id) < Decimal(str(percent))
