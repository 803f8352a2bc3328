"""Time limits of database calls: short for requests, longer for tasks, none on statements of commands.

DATABASE_TIME_LIMITS has the figures. A migration, an import or a backfill is a command or a task.
"""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class TimeLimits:
    connect_seconds: float
    statement_seconds: int | None
    lock_seconds: int | None
    idle_transaction_seconds: int | None

    @property
    def session_options(self) -> str:
        """The limits that the server applies, as options of a new session."""
        seconds_by_name = {
            "statement_timeout": self.statement_seconds,
            "lock_timeout": self.lock_seconds,
            "idle_in_transaction_session_timeout": self.idle_transaction_seconds,
        }
        return " ".join(f"-c {name}={seconds}s" for name, seconds in seconds_by_name.items() if seconds)


_kind = "command"


def use_time_limits(kind: str) -> None:
    """Set the limits of new connections of this process to those of "request", "task" or "command"."""
    global _kind
    TimeLimits(**settings.DATABASE_TIME_LIMITS[kind])
    _kind = kind


def current_time_limits() -> TimeLimits:
    return TimeLimits(**settings.DATABASE_TIME_LIMITS[_kind])
