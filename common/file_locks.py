"""File locks, which the kernel releases when their process dies.

A lock belongs to the open file. Forks and programs that inherit the descriptor hold it too, until the last has ended.
"""

import os
import signal
import sys
import time
from pathlib import Path

if sys.platform != "win32":
    import fcntl


def acquire(path: Path, *, shared: bool = False) -> int:
    """Wait for the lock and return its descriptor. Closing the descriptor releases the lock."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        if is_same_file(descriptor, path):
            return descriptor
        # The file was deleted during the wait: a lock on it would have no effect.
        os.close(descriptor)
        path.parent.mkdir(parents=True, exist_ok=True)


def try_acquire(path: Path, *, within_seconds: float = 0) -> int | None:
    """Return the descriptor of an exclusive lock, or None if it is not free within the time."""
    deadline = time.monotonic() + within_seconds
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.02)
        else:
            return descriptor


def is_locked(path: Path) -> bool:
    descriptor = try_acquire(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def is_same_file(descriptor: int, path: Path) -> bool:
    """True if the open file is still the file at that path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def release(descriptor: int) -> None:
    """Release the lock for all processes that share the open file."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def write_pid(descriptor: int) -> None:
    """Write the id of this process into the locked file, for `terminate_holder` and messages."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def terminate_holder(path: Path) -> bool:
    """Terminate the process whose id is in the locked file and wait for its end. Return False if the lock is free."""
    if not path.exists() or not is_locked(path):
        return False
    os.kill(int(path.read_text()), signal.SIGTERM)
    os.close(acquire(path))
    return True
