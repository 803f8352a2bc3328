"""Counts of rows below each node. Higher apps register counters, so this app does not import them."""

from collections import Counter
from collections.abc import Callable, Mapping

UsageCounter = Callable[[], Mapping[int, int]]

_counters: list[UsageCounter] = []
_live_counters: list[UsageCounter] = []


def register_usage_counter(counter: UsageCounter) -> None:
    """Register a callable that returns {subcategory pk: rows}, deleted rows included. Call it in `AppConfig.ready`."""
    if counter not in _counters:
        _counters.append(counter)


def register_live_usage_counter(counter: UsageCounter) -> None:
    """Register a callable that returns {subcategory pk: visible rows} from stored counts, for display only."""
    if counter not in _live_counters:
        _live_counters.append(counter)


def live_counts() -> Counter[int]:
    """Return the rows that readers see below each subcategory, summed over all apps."""
    return _sum(_live_counters)


def usage_counts() -> Counter[int]:
    """Return all rows below each subcategory, summed over all apps."""
    return _sum(_counters)


def _sum(counters: list[UsageCounter]) -> Counter[int]:
    total: Counter[int] = Counter()
    for counter in counters:
        total.update(counter())
    return total
