"""A PostgreSQL and a Valkey of our own, for development and tests; see docs/adr/embedded-servers.md.

Every process that uses the servers holds a shared lock for as long as it lives. A keeper process owns the servers
and stops them once nobody holds that lock: the kernel drops a lock at any death, so nothing is left behind.
"""

import os
import select
import subprocess
import sys
from pathlib import Path

from common.file_locks import acquire, is_locked, terminate_holder
from devstack.embedded.errors import EmbeddedServersError
from devstack.embedded.paths import ServerPaths

__all__ = ["EmbeddedServersError", "ensure", "stop"]

START_TIMEOUT_SECONDS = 90  # a first start takes about one second; a busy machine many
_PROJECT_DIR = Path(__file__).resolve().parents[2]
_memberships: dict[Path, int] = {}


def ensure(data_dir: Path, *, ephemeral: bool = False) -> dict[str, str]:
    """Start the servers of `data_dir`, or join those that run; they stay until this process and its forks are gone.

    Gives DATABASE_URL, REDIS_URL and CELERY_BROKER_URL. `ephemeral` servers forget everything: no fsync, and the
    folder is deleted with them. Raises EmbeddedServersError with what to do about it.
    """
    if sys.platform == "win32":
        raise EmbeddedServersError("embedded servers need a Unix: use WSL, or set DATABASE_URL and REDIS_URL")
    layout = ServerPaths(Path(data_dir).resolve())
    try:
        layout.data_dir.mkdir(parents=True, exist_ok=True)
        turn = acquire(layout.startup_lock)
        joined_before = layout.data_dir in _memberships
        if not joined_before:
            _memberships[layout.data_dir] = acquire(layout.clients_lock, shared=True)
    except PermissionError as error:
        raise EmbeddedServersError(
            f"{error.filename} belongs to another user: work as that user, delete {layout.data_dir}, "
            "or set EMBEDDED_DIR to a folder of your own"
        ) from error
    try:
        if not is_locked(layout.daemon_lock):
            _start_daemon(layout, turn, ephemeral=ephemeral)
    except BaseException:
        os.close(_memberships.pop(layout.data_dir))
        raise
    finally:
        os.close(turn)
    return layout.addresses()


def stop(data_dir: Path) -> bool:
    """Stop the servers of `data_dir` whoever uses them, and wait until they are gone; False when none ran."""
    return terminate_holder(ServerPaths(Path(data_dir).resolve()).daemon_lock)


def _start_daemon(layout: ServerPaths, turn: int, *, ephemeral: bool) -> None:
    """The keeper inherits our turn and gives it up when the servers answer, even if we die while waiting."""
    answer, report = os.pipe()
    with os.fdopen(answer, "rb") as heard:
        daemon = subprocess.Popen(
            [
                sys.executable,
                "-m",
                f"{__name__}.daemon",
                str(layout.data_dir),
                str(turn),
                str(report),
                str(int(ephemeral)),
            ],
            cwd=_PROJECT_DIR,
            pass_fds=(turn, report),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=layout.open_log("keeper"),
            start_new_session=True,
        )
        os.close(report)
        if not select.select([heard], [], [], START_TIMEOUT_SECONDS)[0]:
            daemon.terminate()
            raise EmbeddedServersError(f"the embedded servers did not start within {START_TIMEOUT_SECONDS} s")
        verdict = heard.read().decode()
    if verdict != "ready":
        daemon.wait()
        raise EmbeddedServersError(verdict or f"the embedded servers did not start:\n{layout.log_tail('keeper')}")
    daemon.returncode = 0  # it outlives us on purpose: no warning about a child left running
