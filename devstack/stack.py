"""The whole service on one machine: web, worker and beat; once for each checkout."""

import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import Conflict
from common.file_locks import try_acquire, write_pid
from devstack.supervisor import Supervisor

_LONE_WORKER = ("--without-mingle", "--without-gossip")  # there are no others to greet
_SILENCED = "ignore:You're running the worker with superuser privileges"  # known, and harmless on one's own machine


@contextmanager
def lock_checkout(directory: Path) -> Iterator[None]:
    """Hold the checkout against a second stack, whose beat would send every task twice. Raises Conflict."""
    directory.mkdir(parents=True, exist_ok=True)
    lock_file = directory / "stack.lock"
    lock = try_acquire(lock_file)
    if lock is None:
        raise Conflict(f"the service already runs from this checkout, as process {lock_file.read_text()}")
    write_pid(lock)
    try:
        yield
    finally:
        os.close(lock)


def ensure_port_free(host: str, port: int) -> None:
    """Raises Conflict for an address the web server could not listen on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As the web server will: an address whose last connections are still winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except (OSError, OverflowError) as error:
            raise Conflict(f"cannot listen on {host}:{port} ({error}): set PORT to another one") from error


def serve_stack(*, host: str, port: int, web_workers: int, directory: Path, parent_pid: int | None = None) -> int:
    """Run until told to stop (gives 0) or until a part ends by itself (gives 1)."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "--app", "config", "--quiet"]
    web = [*python, "granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--no-ws"]
    # One thread for each worker: requests are short, and more threads would only share the one interpreter lock.
    web += ["--workers", str(web_workers), "--blocking-threads", "1", "--workers-kill-timeout", "5"]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return Supervisor(
        commands={
            "web": [*web, "--log-level", "warning", "config.wsgi:application"],
            "worker": [*celery, "worker", "--concurrency", "2", "--loglevel", "INFO", *_LONE_WORKER],
            "beat": [
                *celery,
                "beat",
                "--schedule",
                str(directory / "beat-schedule"),
                "--pidfile",
                "",
                "--loglevel",
                "INFO",
            ],
        },
        is_ready=lambda: _answers(f"{url}/api/health"),
        announcement=f"Serving on {url} (admin at {url}/admin/, API at {url}/api/docs). Ctrl-C stops it.",
        parent_pid=parent_pid,
        environment={"PYTHONWARNINGS": _SILENCED, **os.environ, "PORT": str(port)},
    ).run()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
