"""Deadlines of the steps of a request."""

import time
from dataclasses import dataclass
from typing import Self

from outbound.errors import RemoteUnavailable


@dataclass(frozen=True)
class Deadline:
    at: float  # seconds of time.monotonic()

    @classmethod
    def after(cls, seconds: float) -> Self:
        return cls(time.monotonic() + seconds)

    def within(self, seconds: float) -> Self:
        """Return the deadline of a step, which is never later than this one."""
        return type(self)(min(self.at, time.monotonic() + seconds))

    def seconds_left(self) -> float:
        """Return a positive number, usable as a socket timeout. Raises RemoteUnavailable after the deadline."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise RemoteUnavailable("The source did not respond in time.", "timeout")
        return left
