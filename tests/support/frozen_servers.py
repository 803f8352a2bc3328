"""Stop, continue and kill the processes of embedded servers that a test started for itself."""

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.embedded.paths import ServerPaths


def postgres_processes(data_dir: Path) -> list[int]:
    """Return the ids of the postmaster and all its children, the postmaster first."""
    postmaster = int((ServerPaths(data_dir).cluster / "postmaster.pid").read_text().split()[0])
    children = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == postmaster:
                children.append(int(folder.name))
    return [postmaster, *children]


def valkey_processes(data_dir: Path) -> list[int]:
    return [int((ServerPaths(data_dir).queue / "valkey.pid").read_text())]


@contextmanager
def frozen(processes: list[int]) -> Iterator[None]:
    """Stop the processes for the duration of the block. A stopped postmaster forks no further process."""
    try:
        for pid in processes[:1]:
            os.kill(pid, signal.SIGSTOP)
        for pid in processes[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def kill(processes: list[int]) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
