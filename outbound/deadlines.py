"""Moments by which a step must be done, whatever the other side does."""

import time
from dataclasses import dataclass
from typing import Self

from outbound.errors import RemoteUnavailable


@dataclass(frozen=True)
class Deadline:
    at: float  # of the monotonic clock

    @classmethod
    def after(cls, seconds: float) -> Self:
        return cls(time.monotonic() + seconds)

    def within(self, seconds: float) -> Self:
        """An earlier one for a part of the work; never a later one."""
        return type(self)(min(self.at, time.monotonic() + seconds))

    def seconds_left(self) -> float:
        """More than zero, so that it can serve as a socket's timeout. Raises RemoteUnavailable."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise RemoteUnavailable("The source did not answer in time.", "timeout")
        return left
