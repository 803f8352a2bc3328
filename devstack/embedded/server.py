"""One server process that is started again when it ends."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from common.file_locks import try_acquire
from devstack.embedded.errors import EmbeddedServersError
from devstack.embedded.paths import ServerPaths
from devstack.embedded.process_list import command_lines
from devstack.embedded.run_as import RunAsUser
from devstack.restarts import RestartHistory, describe_end

READY_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 10
ORPHANS_TIMEOUT_SECONDS = 0.5


def _repair_nothing(log: str) -> str:
    return ""


@dataclass
class Server:
    """A server, its files and its restarts.

    All its processes inherit the lock of `lock_file`, so it is free when the last one has ended. The command line of
    each process contains one of `marks`. `repair` gets the log of a failed start and returns what it repaired, if
    anything. `_ended_at` is set from an end until the next response.
    """

    name: str
    command: list[str | Path]
    paths: ServerPaths
    run_as: RunAsUser
    lock_file: Path
    stale_files: tuple[Path, ...]
    marks: tuple[str, ...]
    responds: Callable[[], bool]
    repair: Callable[[str], str] = _repair_nothing
    process: subprocess.Popen[bytes] | None = None
    _history: RestartHistory = field(default_factory=RestartHistory)
    _ended_at: float | None = None
    _start_at: float = 0.0

    def end_old_processes(self) -> None:
        """End the servers of a killed daemon. Raises EmbeddedServersError."""
        # They are stopping already: the kernel told them that the daemon died.
        self._end_processes(wait_seconds=2, numbers=(signal.SIGINT, signal.SIGKILL))

    def launch(self) -> None:
        """Start the server. Raises EmbeddedServersError if processes of it still run."""
        lock = try_acquire(self.lock_file)
        if lock is None:
            raise EmbeddedServersError(f"{self.lock_file} is held by another process")
        try:
            # No process of the server runs, so the files are stale: their process ids may belong to other programs.
            for file in self.stale_files:
                file.unlink(missing_ok=True)
            with self.paths.open_log(self.name, append=self._ended_at is not None) as log:
                self.process = self.run_as.launch(self.command, log, pass_fds=[lock])
        finally:
            os.close(lock)

    def wait_until_ready(self) -> None:
        """Wait until the launched server responds. Raises EmbeddedServersError if it ends."""
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while not self.responds():
            has_ended = self.process is None or self.process.poll() is not None
            if has_ended and self._repair_failed_start():
                self.launch()
            elif has_ended or time.monotonic() > deadline:
                raise EmbeddedServersError(f"{self.name} did not start:\n{self.paths.log_tail(self.name)}")
            time.sleep(0.01)

    def watch(self) -> str:
        """Start the server again if it has ended. Return what happened, for the log, or an empty string."""
        now = time.monotonic()
        if self.process and self.process.poll() is not None:
            repaired = self._repair_failed_start() if self._ended_at else ""
            line = self._note_end(describe_end(self.process.returncode))
            return f"{line}. {repaired}" if repaired else line
        if self.process is None and now >= self._start_at:
            try:
                self._end_processes(wait_seconds=ORPHANS_TIMEOUT_SECONDS, numbers=(signal.SIGKILL,))
                self.launch()
            except (OSError, EmbeddedServersError) as error:
                return self._note_end(f"did not start ({error})")
        if self._ended_at and self.process and self.responds():
            seconds, self._ended_at = time.monotonic() - self._ended_at, None
            return f"{self.name} responds again after {seconds:.1f} s"
        return ""

    def interrupt(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # both servers shut down cleanly at once

    def wait_for_end(self) -> None:
        if not self.process:
            return
        try:
            self.process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            for pid in self._processes():
                _send_signal(pid, signal.SIGKILL)
            self.process.wait()

    def _note_end(self, end: str) -> str:
        now = time.monotonic()
        delay = self._history.note_end(now)
        self.process, self._start_at, self._ended_at = None, now + delay, self._ended_at or now
        line = self._history.describe(self.name, end, delay)
        if self._history.is_left_down:
            line += f". Its log is {self.paths.log_file(self.name)}"
        return line

    def _repair_failed_start(self) -> str:
        """Repair what stopped a server that ended by itself before it responded. A killed one needs no repair."""
        if self.process and (self.process.returncode or 0) > 0:
            return self.repair(self.paths.log_tail(self.name))
        return ""

    def _end_processes(self, *, wait_seconds: float, numbers: tuple[signal.Signals, ...]) -> None:
        """Wait until no process of the server runs. Send the signals one after the other to those that remain.

        A query of a killed PostgreSQL may go on for minutes, and writes to the files that the next server needs.
        """
        for number in (None, *numbers):
            if number:
                for pid in self._processes():
                    _send_signal(pid, number)
            lock = try_acquire(self.lock_file, within_seconds=STOP_TIMEOUT_SECONDS if number else wait_seconds)
            if lock is not None:
                os.close(lock)
                return
            if not self._processes():
                raise EmbeddedServersError(f"{self.lock_file} is locked by a program that is not {self.name}")
        raise EmbeddedServersError(f"old processes of {self.name} do not end: {self._processes()}")

    def _processes(self) -> list[int]:
        return [pid for pid, line in command_lines() if any(mark in line for mark in self.marks)]


def _send_signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
