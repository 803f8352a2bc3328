"""Looking at real processes: which live, and waiting until something about them holds."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import connection


def processes_naming(text: str) -> set[int]:
    """Ids of the living processes whose command line holds `text`; zombies have none."""
    return {pid for pid, arguments in _command_lines() if text in arguments}


def _command_lines() -> Iterator[tuple[int, str]]:
    proc = Path("/proc")
    if (proc / "self" / "cmdline").exists():
        for folder in proc.glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                yield int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return
    listing = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    for pid, arguments in (line.split(None, 1) for line in listing.splitlines()):
        yield int(pid), arguments


def wait_until(holds: Callable[[], object], timeout_seconds: float = 15) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@contextlib.contextmanager
def ended_at_last(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """The process is gone afterwards, whatever the test did with it."""
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
    """For a Celery worker on the test's own database and queue, with media in `folder`."""
    address, _, options = os.environ["DATABASE_URL"].partition("?")
    server = address.rpartition("/")[0]
    return ENVIRONMENT | {
        "DJANGO_SETTINGS_MODULE": "tests.support.worker_settings",
        "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}" + (f"?{options}" if options else ""),
        "MEDIA_ROOT": str(folder),
        **more,
    }
