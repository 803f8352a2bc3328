"""Registry of health checks. Apps register theirs in `AppConfig.ready()`."""

from collections.abc import Callable

HealthCheck = Callable[[], bool]

_checks: dict[str, HealthCheck] = {}


def register_health_check(name: str, check: HealthCheck) -> None:
    """`check` returns True if the component works; it logs and returns False otherwise."""
    if _checks.setdefault(name, check) is not check:
        raise ValueError(f"Health check {name!r} is registered twice")


def run_health_check(name: str) -> bool:
    return _checks[name]()
