"""Run several processes under one parent. If one ends, all are stopped."""

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

POLL_SECONDS = 0.1
STOP_TIMEOUT_SECONDS = 8  # per process; an interrupted task is delivered again
_COLORS = (36, 33, 35, 32)
_REAPER = Path(__file__).with_name("orphan_reaper.py")


@dataclass
class Supervisor:
    """Start `commands` (by name) in order, copy their lines to `output`, and stop them in reverse order.

    Print `announcement` when `is_ready` returns True. Stop if `parent_pid` is given and is no longer the parent.
    """

    commands: Mapping[str, Sequence[str]]
    is_ready: Callable[[], bool] = lambda: False
    announcement: str = ""
    parent_pid: int | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    output: IO[str] = field(default_factory=lambda: sys.stdout)
    _processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict, init=False)
    _copiers: list[threading.Thread] = field(default_factory=list, init=False)
    _signals_seen: int = field(default=0, init=False)

    def run(self) -> int:
        """Run until a signal (return 0) or until a process ends by itself (return 1). Call it in the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        reaper = subprocess.Popen(
            [sys.executable, "-I", str(_REAPER)], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            self._start(reaper)
            return self._watch()
        finally:
            self._stop()
            reaper.kill()  # before its input ends, because nothing is left to kill
            reaper.wait()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals_seen += 1

    def _start(self, reaper: subprocess.Popen[str]) -> None:
        width = max(len(name) for name in self.commands)
        for position, (name, command) in enumerate(self.commands.items()):
            # A new session: Ctrl-C reaches only this process, and the group contains all children of the process.
            process = self._processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                env={**self.environment, "PYTHONUNBUFFERED": "1"},
            )
            print(process.pid, file=reaper.stdin, flush=True)
            prefix = f"{name:{width}} | "
            if self.output.isatty():
                prefix = f"\x1b[{_COLORS[position % len(_COLORS)]}m{prefix}\x1b[0m"
            copier = threading.Thread(target=self._copy_lines, args=(process.stdout, prefix), daemon=True)
            copier.start()
            self._copiers.append(copier)

    def _copy_lines(self, lines: IO[str], prefix: str) -> None:
        for line in lines:
            self._print(f"{prefix}{line.rstrip()}")

    def _print(self, line: str) -> None:
        self.output.write(f"{line}\n")
        self.output.flush()

    def _watch(self) -> int:
        is_announced = not self.announcement
        while not self._signals_seen and self.parent_pid in (None, os.getppid()):
            for name, process in self._processes.items():
                if process.poll() is not None:
                    self._print(f"{name} ended with exit code {process.returncode}: stopping all processes")
                    return 1
            if not is_announced and self.is_ready():
                self._print(self.announcement)
                is_announced = True
            time.sleep(POLL_SECONDS)
        return 0

    def _stop(self) -> None:
        for name, process in reversed(self._processes.items()):
            if process.poll() is None:
                process.terminate()
                if not self._has_ended(process):
                    self._print(f"{name} did not stop within {STOP_TIMEOUT_SECONDS} s and is killed")
            # Kills the process if it still runs, and its remaining children.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for copier in self._copiers:
            copier.join(timeout=1)

    def _has_ended(self, process: subprocess.Popen[str]) -> bool:
        """Wait for the end until the timeout or a second Ctrl-C."""
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while process.poll() is None:
            if time.monotonic() > deadline or self._signals_seen > 1:
                return False
            time.sleep(0.02)
        return True
