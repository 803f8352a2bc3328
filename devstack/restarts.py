"""When a process that ended is started again.

The first restart is immediate, the next ones wait longer. A process that ends 5 times within 30 s is left down, and one
start is tried every 60 s.
"""

import signal
from dataclasses import dataclass, field

MAX_ENDS = 5
WINDOW_SECONDS = 30.0
DELAYS_SECONDS = (0.0, 0.5, 1.0, 2.0)  # with the start of a server, each stays below 5 s
LEFT_DOWN_SECONDS = 60.0


@dataclass
class RestartHistory:
    """The ends of one process. `now` is a monotonic time in seconds."""

    is_left_down: bool = False
    _ends: list[float] = field(default_factory=list)

    def note_end(self, now: float) -> float:
        """Return the seconds to wait before the next start."""
        was_tried = self.is_left_down and now - self._ends[-1] < LEFT_DOWN_SECONDS + WINDOW_SECONDS
        self._ends = [*(end for end in self._ends if now - end < WINDOW_SECONDS), now]
        self.is_left_down = was_tried or len(self._ends) >= MAX_ENDS
        return LEFT_DOWN_SECONDS if self.is_left_down else DELAYS_SECONDS[len(self._ends) - 1]

    def describe(self, name: str, end: str, delay_seconds: float) -> str:
        """Return the line for the terminal after `note_end`; `end` says how the process ended."""
        if self.is_left_down:
            return f"{name} {end} again and is LEFT DOWN; one start is tried every {LEFT_DOWN_SECONDS:.0f} s"
        return f"{name} {end} and is started again" + (f" in {delay_seconds:g} s" if delay_seconds else "")


def describe_end(returncode: int) -> str:
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    number = -returncode
    return f"was killed by {signal.Signals(number).name if number in set(signal.Signals) else f'signal {number}'}"
