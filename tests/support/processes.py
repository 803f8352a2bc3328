"""Find and wait for processes, and the environment of processes that tests start."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import connection

from devstack.embedded.process_list import command_lines


def processes_naming(text: str) -> set[int]:
    """Return the ids of running processes whose command line contains `text`; zombies have no command line."""
    return {pid for pid, arguments in command_lines() if text in arguments}


def parents() -> dict[int, int]:
    """Return the id of the parent of each running process."""
    listing = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return {int(pid): int(parent) for pid, parent in (line.split() for line in listing.splitlines())}


def wait_until(condition: Callable[[], object], timeout_seconds: float = 15) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition was not met within {timeout_seconds} seconds"
        time.sleep(0.05)


@contextlib.contextmanager
def ended_at_last(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Kill the process at the end of the block and close its streams."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


PROJECT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}


def worker_environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a Celery worker that uses the test database and queue, with media in `folder`."""
    url, _, options = os.environ["DATABASE_URL"].partition("?")
    server = url.rpartition("/")[0]
    return ENVIRONMENT | {
        "DJANGO_SETTINGS_MODULE": "tests.support.worker_settings",
        "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}" + (f"?{options}" if options else ""),
        "MEDIA_ROOT": str(folder),
        **more,
    }
