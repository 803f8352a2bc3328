"""Throw-away databases with demo assets, and servers over them."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


def host_of(addresses: dict[str, str]) -> str:
    return addresses["DATABASE_URL"].split("@/", 1)[1].rsplit("/", 1)[0]


def database_exists(addresses: dict[str, str], name: str) -> bool:
    with psycopg.connect(host=host_of(addresses), user="postgres", dbname="postgres", autocommit=True) as link:
        return link.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def make_database(addresses: dict[str, str], name: str, *, template: str = "template1") -> None:
    with psycopg.connect(host=host_of(addresses), user="postgres", dbname="postgres", autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def drop_database(addresses: dict[str, str], name: str) -> None:
    with psycopg.connect(host=host_of(addresses), user="postgres", dbname="postgres", autocommit=True) as link:
        link.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def vacuum(addresses: dict[str, str], name: str) -> None:
    with psycopg.connect(host=host_of(addresses), user="postgres", dbname=name, autocommit=True) as link:
        link.execute("VACUUM ANALYZE")
        link.execute("CHECKPOINT")


def environment_of(addresses: dict[str, str], database: str) -> dict[str, str]:
    return os.environ | addresses | {
        "DATABASE_URL": addresses["DATABASE_URL"].rsplit("/", 1)[0] + f"/{database}",
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "CACHE_KEY_PREFIX": database,
        "MEDIA_ROOT": tempfile.mkdtemp(prefix="registry-bench-media-"),
        "LOG_LEVEL": "ERROR",
    }  # fmt: skip


def manage(environment: dict[str, str], *arguments: str) -> str:
    """Run a command of the service and return its output. Raises RuntimeError with its errors."""
    command = [sys.executable, "manage.py", *arguments]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True)
    if finished.returncode:
        raise RuntimeError(f"{arguments[0]}: {finished.stderr[-2000:]}")
    return finished.stdout


def python(environment: dict[str, str], code: str) -> str:
    """Runs in Django's shell; what it printed."""
    return manage(environment, "shell", "-v0", "-c", code)


@contextmanager
def served(environment: dict[str, str], port: int, application: str = "config.wsgi") -> Iterator[None]:
    """granian with one worker and one thread, until the block ends."""
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1",
        "--blocking-threads", "1", "--log-level", "error", f"{application}:application",
    ]  # fmt: skip
    process = subprocess.Popen(command, env=environment)
    try:
        _wait_until_it_answers(port)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_it_answers(port: int) -> None:
    for _ in range(150):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the server does not answer")
