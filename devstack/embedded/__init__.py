"""Embedded PostgreSQL and Valkey for development and tests: docs/adr/embedded-servers.md.

Every process that uses the servers holds a shared lock until it exits. A daemon owns the servers, starts them again if
they end, and stops them when no process holds the lock. The kernel releases the locks of dead processes, so no servers
are left running.
"""

import os
import select
import subprocess
import sys
from pathlib import Path

from common.file_locks import acquire, is_locked, terminate_holder
from devstack.embedded.errors import EmbeddedServersError
from devstack.embedded.paths import ServerPaths
from devstack.restarts import describe_end

__all__ = ["EmbeddedServersError", "ensure", "restart_daemon", "stop", "used_data_dir"]

START_TIMEOUT_SECONDS = 90  # a first start takes about one second; a busy machine many
_PROJECT_DIR = Path(__file__).resolve().parents[2]
_memberships: dict[Path, int] = {}


def ensure(data_dir: Path, *, ephemeral: bool = False) -> dict[str, str]:
    """Start the servers of `data_dir` or use the running ones, until this process and its forks have ended.

    Return DATABASE_URL, REDIS_URL and CELERY_BROKER_URL. `ephemeral` servers use no fsync and delete their folder when
    they stop. Raises EmbeddedServersError.
    """
    if sys.platform == "win32":
        raise EmbeddedServersError("embedded servers need a Unix: use WSL, or set DATABASE_URL and REDIS_URL")
    paths = ServerPaths(Path(data_dir).resolve())
    _join(paths, ephemeral=ephemeral)
    return paths.urls()


def restart_daemon(data_dir: Path) -> bool:
    """Start the daemon and the servers of `data_dir` again if the daemon was killed. Return True if it was."""
    return _join(ServerPaths(Path(data_dir).resolve()), ephemeral=False)


def used_data_dir() -> Path | None:
    """Return the data folder whose servers this process uses, if any."""
    return next(iter(_memberships), None)


def _join(paths: ServerPaths, *, ephemeral: bool) -> bool:
    """Become a client, and start the daemon if none runs. Return True if it was started."""
    try:
        paths.data_dir.mkdir(parents=True, exist_ok=True)
        startup_lock = acquire(paths.startup_lock)
        joined_before = paths.data_dir in _memberships
        if not joined_before:
            _memberships[paths.data_dir] = acquire(paths.clients_lock, shared=True)
    except PermissionError as error:
        raise EmbeddedServersError(
            f"{error.filename} belongs to another user. Work as that user, delete {paths.data_dir}, "
            "or set EMBEDDED_DIR to a folder of your own"
        ) from error
    try:
        if is_locked(paths.daemon_lock):
            return False
        _start_daemon(paths, startup_lock, ephemeral=ephemeral)
        return True
    except BaseException:
        os.close(_memberships.pop(paths.data_dir))
        raise
    finally:
        os.close(startup_lock)


def stop(data_dir: Path) -> bool:
    """Stop the servers of `data_dir`, even if they are in use, and wait for their end. Return False if none ran."""
    return terminate_holder(ServerPaths(Path(data_dir).resolve()).daemon_lock)


def _start_daemon(paths: ServerPaths, startup_lock: int, *, ephemeral: bool) -> None:
    """Start the daemon. It inherits the startup lock and releases it when the servers accept connections."""
    read_end, report = os.pipe()
    with os.fdopen(read_end, "rb") as pipe:
        daemon = subprocess.Popen(
            [
                sys.executable,
                "-m",
                f"{__name__}.daemon",
                str(paths.data_dir),
                str(startup_lock),
                str(report),
                str(int(ephemeral)),
            ],
            cwd=_PROJECT_DIR,
            pass_fds=(startup_lock, report),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=paths.open_log("daemon"),
            start_new_session=True,
        )
        os.close(report)
        if not select.select([pipe], [], [], START_TIMEOUT_SECONDS)[0]:
            daemon.terminate()
            raise EmbeddedServersError(f"the embedded servers did not start within {START_TIMEOUT_SECONDS} s")
        status = pipe.read().decode()
    if status != "ready":
        end = describe_end(daemon.wait())
        raise EmbeddedServersError(status or f"the embedded servers' daemon {end}:\n{paths.log_tail('daemon')}")
    daemon.returncode = 0  # suppresses the ResourceWarning: the daemon is meant to outlive this process
