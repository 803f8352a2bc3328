"""Runs the parts of the service under one parent: all of them or none."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

LOOK_SECONDS = 0.1
STOP_TIMEOUT_SECONDS = 8  # for each part; a task that is cut off is delivered again
_COLOURS = (36, 33, 35, 32)
_REAPER = Path(__file__).with_name("orphan_reaper.py")


@dataclass
class Supervisor:
    """Starts `commands` (by name) in their order and stops them in the opposite one; `output` gets their lines.

    Once `is_ready` says so, `announcement` is printed. `parent_pid`: stop, too, when that is our parent no longer.
    """

    commands: Mapping[str, Sequence[str]]
    is_ready: Callable[[], bool] = lambda: False
    announcement: str = ""
    parent_pid: int | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    output: IO[str] = field(default_factory=lambda: sys.stdout)
    _parts: dict[str, subprocess.Popen[str]] = field(default_factory=dict, init=False)
    _copiers: list[threading.Thread] = field(default_factory=list, init=False)
    _signals_seen: int = field(default=0, init=False)

    def run(self) -> int:
        """Until told to stop (gives 0) or until a part ends by itself (gives 1). Call it from the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        guard = subprocess.Popen(
            [sys.executable, "-I", str(_REAPER)], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            self._start(guard)
            return self._watch()
        finally:
            self._stop()
            guard.kill()  # before its input ends: it has nothing left to do
            guard.wait()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals_seen += 1

    def _start(self, guard: subprocess.Popen[str]) -> None:
        width = max(len(name) for name in self.commands)
        for position, (name, command) in enumerate(self.commands.items()):
            # In a session of its own: Ctrl-C reaches us alone, and what the part starts can be found by its group.
            part = self._parts[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                env={**self.environment, "PYTHONUNBUFFERED": "1"},
            )
            print(part.pid, file=guard.stdin, flush=True)
            prefix = f"{name:{width}} | "
            if self.output.isatty():
                prefix = f"\x1b[{_COLOURS[position % len(_COLOURS)]}m{prefix}\x1b[0m"
            copier = threading.Thread(target=self._copy_lines, args=(part.stdout, prefix), daemon=True)
            copier.start()
            self._copiers.append(copier)

    def _copy_lines(self, lines: IO[str], prefix: str) -> None:
        for line in lines:
            self._say(f"{prefix}{line.rstrip()}")

    def _say(self, line: str) -> None:
        self.output.write(f"{line}\n")
        self.output.flush()

    def _watch(self) -> int:
        is_announced = not self.announcement
        while not self._signals_seen and self.parent_pid in (None, os.getppid()):
            for name, part in self._parts.items():
                if part.poll() is not None:
                    self._say(f"{name} ended with exit code {part.returncode}: stopping the rest")
                    return 1
            if not is_announced and self.is_ready():
                self._say(self.announcement)
                is_announced = True
            time.sleep(LOOK_SECONDS)
        return 0

    def _stop(self) -> None:
        for name, part in reversed(self._parts.items()):
            if part.poll() is None:
                part.terminate()
                if not self._has_ended(part):
                    self._say(f"{name} did not stop in time and is killed")
            # The part, if it still runs, and whatever it left behind in its group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(part.pid, signal.SIGKILL)
            part.wait()
        for copier in self._copiers:
            copier.join(timeout=1)

    def _has_ended(self, part: subprocess.Popen[str]) -> bool:
        """Wait for it, but no longer than the limit or a second Ctrl-C."""
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while part.poll() is None:
            if time.monotonic() > deadline or self._signals_seen > 1:
                return False
            time.sleep(0.02)
        return True
