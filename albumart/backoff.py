"""How long to wait before trying again. Pure."""

import random


def retry_delay_seconds(attempt: int, *, base_seconds: float, rng: random.Random) -> float:
    """Four times as long after each of `attempt` failures, off by up to 40 % either way, so that rows that failed
    together do not come back together."""
    return base_seconds * 4 ** (attempt - 1) * rng.uniform(0.6, 1.4)


def bounded_pause_seconds(wished: float | None, *, default: float, most: float) -> float:
    """How long a source that asked for `wished` seconds of rest (None: did not say) gets."""
    return min(max(default if wished is None else wished, 1.0), most)
