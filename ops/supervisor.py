"""Runs the parts of the service under one parent: all of them or none."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

_LOOK_SECONDS = 0.2
_STOP_TIMEOUT_SECONDS = 15
_PR_SET_PDEATHSIG = 1
_COLOURS = (36, 32, 33, 35)


@dataclass
class Supervisor:
    """`commands` by name, in the order they start; they stop in the opposite order. `output` gets their lines."""

    commands: Mapping[str, Sequence[str]]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    output: IO[str] = sys.stdout
    _children: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    _is_told_to_stop: bool = False

    def run(self) -> int:
        """Until told to stop (0) or until one part ends by itself (1)."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        try:
            self._start()
            return self._watch()
        finally:
            self._stop()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._is_told_to_stop = True

    def _start(self) -> None:
        width = max(len(name) for name in self.commands)
        for position, (name, command) in enumerate(self.commands.items()):
            # In a session of its own, so that Ctrl-C reaches us alone and we stop the parts in their order.
            child = self._children[name] = subprocess.Popen(
                [sys.executable, "-c", _CHILD, str(os.getpid()), *command],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                start_new_session=True,
                env={**self.environment, "PYTHONUNBUFFERED": "1"},
            )
            prefix = f"{name:{width}} | "
            if self.output.isatty():
                prefix = f"\x1b[{_COLOURS[position % len(_COLOURS)]}m{prefix}\x1b[0m"
            threading.Thread(target=self._copy_lines, args=(child.stdout, prefix), daemon=True).start()

    def _copy_lines(self, stream: IO[str], prefix: str) -> None:
        for line in stream:
            self.output.write(prefix + line)
            self.output.flush()

    def _watch(self) -> int:
        while not self._is_told_to_stop:
            for name, child in self._children.items():
                if child.poll() is not None:
                    self.output.write(f"{name} ended with exit code {child.returncode}; stopping the rest\n")
                    return 1
            time.sleep(_LOOK_SECONDS)
        return 0

    def _stop(self) -> None:
        deadline = time.monotonic() + _STOP_TIMEOUT_SECONDS
        for child in reversed(self._children.values()):
            if child.poll() is None:
                child.terminate()
        for name, child in self._children.items():
            try:
                child.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                self.output.write(f"{name} did not stop in time and is killed\n")
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            else:
                _kill_group(child.pid)  # what a part left behind in its session


def _kill_group(leader_pid: int) -> None:
    try:
        os.killpg(leader_pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel to end this process when its parent ends, however that dies. For a child to call; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent_pid:  # it died before we asked
            sys.exit(1)


# Runs in the child between us and the command: the wish survives the exec that follows it.
_CHILD = (
    "import os, sys; from ops.supervisor import die_with_parent; "
    "die_with_parent(int(sys.argv[1])); os.execvp(sys.argv[2], sys.argv[2:])"
)
