"""Registry of metrics. Apps register theirs in `AppConfig.ready()`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

MetricsSource = Callable[[datetime], Any]

_sources: dict[str, MetricsSource] = {}


def register_metrics(name: str, source: MetricsSource) -> None:
    """`source(now)` returns JSON data."""
    if _sources.setdefault(name, source) is not source:
        raise ValueError(f"Metrics {name!r} are registered twice")


def collect_metrics(name: str, now: datetime) -> Any:
    return _sources[name](now)
