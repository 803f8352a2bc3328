"""Delays between attempts. Pure."""

import random


def backoff_seconds(
    attempt: int, *, base_seconds: float, rng: random.Random, factor: float = 4, jitter: float = 0.4
) -> float:
    """Return the delay after failure number `attempt` (from 1): `base_seconds`, multiplied by `factor` each time.

    The delay varies by up to `jitter` (0.4 = 40 %) either way, so that rows that failed together retry apart.
    """
    return base_seconds * factor ** (attempt - 1) * rng.uniform(1 - jitter, 1 + jitter)


def with_retry_after(delay_seconds: float, retry_after_seconds: float | None, *, max_seconds: float) -> float:
    """Return `delay_seconds`, or the longer delay that the remote server requires, at most `max_seconds` of it."""
    return max(delay_seconds, min(retry_after_seconds or 0, max_seconds))
