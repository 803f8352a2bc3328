"""Run web, worker and beat on one machine, once per checkout. The embedded servers are watched with them."""

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
from devstack.embedded import used_data_dir
from devstack.supervisor import Supervisor

_LONE_WORKER = ("--without-mingle", "--without-gossip")  # it is the only worker
_SILENCED = "ignore:You're running the worker with superuser privileges"  # harmless in development


@contextmanager
def lock_checkout(directory: Path) -> Iterator[None]:
    """Lock the checkout. Raises Conflict if a stack already runs: a second beat would send every task twice."""
    directory.mkdir(parents=True, exist_ok=True)
    lock_file = directory / "stack.lock"
    lock = try_acquire(lock_file)
    if lock is None:
        raise Conflict(
            f"The service already runs from this checkout as process {lock_file.read_text()}. Stop it first."
        )
    write_pid(lock)
    try:
        yield
    finally:
        os.close(lock)


def ensure_port_free(host: str, port: int) -> None:
    """Raise Conflict if the web server cannot listen on the host and port."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # The web server sets it too: a port with connections in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except (OSError, OverflowError) as error:
            raise Conflict(f"Cannot listen on {host}:{port} ({error}). Set PORT to a free port.") from error


def serve_stack(*, host: str, port: int, web_workers: int, directory: Path, parent_pid: int | None = None) -> int:
    """Run until a signal stops the stack. Return 0, or 1 if a process ended again and again (`Supervisor.run`)."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "--app", "config", "--quiet"]
    web = [*python, "granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--no-ws"]
    # One thread per worker: requests are short, and more threads would share one interpreter lock.
    web += ["--workers", str(web_workers), "--blocking-threads", "1", "--workers-kill-timeout", "5"]
    web += ["--respawn-failed-workers"]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    beat = [*celery, "beat", "--schedule", str(directory / "beat-schedule"), "--pidfile", "", "--loglevel", "INFO"]
    data_dir = used_data_dir()  # None if the environment names other servers
    return Supervisor(
        commands={
            **({"servers": [*python, "devstack.embedded.watch", str(data_dir)]} if data_dir else {}),
            "web": [*web, "--log-level", "warning", "config.wsgi:application"],
            "worker": [*celery, "worker", "--concurrency", "2", "--loglevel", "INFO", *_LONE_WORKER],
            "beat": beat,
        },
        is_ready=lambda: _responds(f"{url}/api/health"),
        announcement=f"Serving on {url} (admin at {url}/admin/, API at {url}/api/docs). Ctrl-C stops it.",
        parent_pid=parent_pid,
        environment={"PYTHONWARNINGS": _SILENCED, **os.environ, "PORT": str(port)},
    ).run()


def _responds(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - a fixed scheme
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
