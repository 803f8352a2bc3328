"""What a process does that wants the servers: hold the users' lock, start a keeper if there is none."""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

from config.embedded_servers.places import Places, ServersFailed

_START_TIMEOUT_SECONDS = 90
_POLL_SECONDS = 0.02

# Kept open for the life of the process; a forked child inherits the lock, as it should.
_held_locks: dict[Path, int] = {}


def ensure(data_dir: Path, *, ephemeral: bool = False) -> dict[str, str]:
    """Start or find the servers of `data_dir`: {DATABASE_URL, REDIS_URL, CELERY_BROKER_URL}.

    They run for as long as any process that called this lives. `ephemeral` servers do not sync to disk and their
    folder is deleted at the end. Raises ServersFailed with the reason.
    """
    places = Places(Path(data_dir).resolve())
    if places.data in _held_locks:
        return places.addresses()
    places.data.mkdir(parents=True, exist_ok=True)
    owner = places.data.stat().st_uid
    if owner != os.geteuid():
        raise ServersFailed(
            f"{places.data} belongs to user {owner}, this process runs as {os.geteuid()}: use one user,"
            " or set EMBEDDED_DIR to another folder"
        )
    with places.start_lock.open("w") as starters:
        fcntl.flock(starters, fcntl.LOCK_EX)  # one starter at a time
        lock = os.open(places.users_lock, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_SH)  # waits only while a keeper is just shutting down
        try:
            if not _has_keeper(places):
                _start_keeper(places, ephemeral=ephemeral)
        except BaseException:
            os.close(lock)
            raise
    _held_locks[places.data] = lock
    return places.addresses()


def _has_keeper(places: Places) -> bool:
    with places.keeper_lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return places.state.exists() and places.state.read_text() == "ready"
    return False


def _start_keeper(places: Places, *, ephemeral: bool) -> None:
    places.state.unlink(missing_ok=True)
    command = [sys.executable, "-m", "config.embedded_servers.keeper", str(places.data)]
    with places.log("keeper").open("ab") as log:
        keeper = subprocess.Popen(
            [*command, "--ephemeral"] if ephemeral else command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while True:
        state = places.state.read_text() if places.state.exists() else ""
        if state == "ready":
            return
        if state or keeper.poll() is not None:
            raise ServersFailed(state or places.log("keeper").read_text()[-2000:])
        if time.monotonic() > deadline:
            keeper.terminate()
            raise ServersFailed(f"The servers did not start in {_START_TIMEOUT_SECONDS} s; see {places.log('keeper')}")
        time.sleep(_POLL_SECONDS)
