"""Run several processes under one parent. A process that ends is started again: `devstack.restarts`."""

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

from devstack.restarts import RestartHistory, describe_end

POLL_SECONDS = 0.1
STOP_TIMEOUT_SECONDS = 8  # per process; an interrupted task is delivered again
_COLORS = (36, 33, 35, 32)
_REAPER = Path(__file__).with_name("orphan_reaper.py")


@dataclass
class _Child:
    """A process and its restarts. `process` is None while it is down until `start_at` (monotonic)."""

    name: str
    command: Sequence[str]
    prefix: str
    process: subprocess.Popen[str] | None = None
    copier: threading.Thread | None = None
    start_at: float = 0.0
    history: RestartHistory = field(default_factory=RestartHistory)
    last_end: str = ""

    @property
    def is_left_down(self) -> bool:
        return self.process is None and self.history.is_left_down


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
    _children: list[_Child] = field(default_factory=list, init=False)
    _reaper: subprocess.Popen[str] | None = field(default=None, init=False)
    _signals_seen: int = field(default=0, init=False)

    def run(self) -> int:
        """Run until a signal. Call it in the main thread.

        Return 0, or 1 if a process is then left down. Return 1 at once if that happens before `is_ready` was True,
        because a first start that fails is a mistake to correct, not an outage to survive.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        width = max(len(name) for name in self.commands)
        for position, (name, command) in enumerate(self.commands.items()):
            prefix = f"{name:{width}} | "
            if self.output.isatty():
                prefix = f"\x1b[{_COLORS[position % len(_COLORS)]}m{prefix}\x1b[0m"
            self._children.append(_Child(name, command, prefix))
        try:
            self._watch()
        finally:
            left_down = [child for child in self._children if child.is_left_down]
            self._stop()
            if self._reaper:
                self._reaper.kill()  # before its input ends, because nothing is left to kill
                self._reaper.wait()
        if left_down:
            self._print("Left down: " + ", ".join(f"{child.name} ({child.last_end})" for child in left_down))
        return 1 if left_down else 0

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals_seen += 1

    def _watch(self) -> None:
        is_announced = not self.announcement
        while not self._signals_seen and self.parent_pid in (None, os.getppid()):
            self._watch_reaper()
            for child in self._children:
                self._watch_child(child)
            if not is_announced:
                if self.is_ready():
                    self._print(self.announcement)
                    is_announced = True
                elif any(child.is_left_down for child in self._children):
                    self._print("The start failed: stopping all processes")
                    return
            time.sleep(POLL_SECONDS)

    def _watch_child(self, child: _Child) -> None:
        if child.process and child.process.poll() is not None:
            _kill_group(child.process)  # its own children would keep the port and the tasks
            self._tell_reaper(-child.process.pid)
            self._note_end(child, describe_end(child.process.returncode))
        if child.process is None and time.monotonic() >= child.start_at:
            try:
                self._start(child)
            except OSError as error:  # for example no memory for another process
                self._note_end(child, f"did not start ({error})")

    def _note_end(self, child: _Child, end: str) -> None:
        now = time.monotonic()
        delay = child.history.note_end(now)
        child.process, child.start_at, child.last_end = None, now + delay, end
        self._print(child.history.describe(child.name, end, delay))

    def _start(self, child: _Child) -> None:
        # A new session: Ctrl-C reaches only this process, and the group contains all children of the process.
        child.process = subprocess.Popen(
            child.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**self.environment, "PYTHONUNBUFFERED": "1"},
        )
        self._tell_reaper(child.process.pid)
        child.copier = threading.Thread(target=self._copy_lines, args=(child.process.stdout, child.prefix), daemon=True)
        child.copier.start()

    def _watch_reaper(self) -> None:
        """Start the reaper, or another one if it was killed."""
        if self._reaper and self._reaper.poll() is None:
            return
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", str(_REAPER)], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        for child in self._children:
            if child.process:
                self._tell_reaper(child.process.pid)

    def _tell_reaper(self, group: int) -> None:
        """Add a process group, or remove a negative one."""
        with contextlib.suppress(BrokenPipeError):  # it was killed: `_watch_reaper` starts another with all groups
            print(group, file=self._reaper.stdin, flush=True)

    def _copy_lines(self, lines: IO[str], prefix: str) -> None:
        with lines:
            for line in lines:
                self._print(f"{prefix}{line.rstrip()}")

    def _print(self, line: str) -> None:
        self.output.write(f"{line}\n")
        self.output.flush()

    def _stop(self) -> None:
        for child in reversed(self._children):
            if not child.process:
                continue
            if child.process.poll() is None:
                child.process.terminate()
                if not self._has_ended(child.process):
                    self._print(f"{child.name} did not stop within {STOP_TIMEOUT_SECONDS} s and is killed")
            _kill_group(child.process)
            child.process.wait()
        for child in self._children:
            if child.copier:
                child.copier.join(timeout=1)

    def _has_ended(self, process: subprocess.Popen[str]) -> bool:
        """Wait for the end until the timeout or a second Ctrl-C."""
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while process.poll() is None:
            if time.monotonic() > deadline or self._signals_seen > 1:
                return False
            time.sleep(0.02)
        return True


def _kill_group(process: subprocess.Popen[str]) -> None:
    """Kill the process if it still runs, and its remaining children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
