"""Locks on files that the kernel drops when their holder dies, however it dies.

A lock belongs to the open file: forks and programs the descriptor is passed to hold it too, until the last is gone.
"""

import os
import signal
import sys
import time
from pathlib import Path

if sys.platform != "win32":
    import fcntl


def acquire(path: Path, *, shared: bool = False) -> int:
    """Wait for the lock; closing the descriptor gives it back."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        if is_same_file(descriptor, path):
            return descriptor
        # The file was deleted while we waited: a lock on it would exclude nobody.
        os.close(descriptor)
        path.parent.mkdir(parents=True, exist_ok=True)


def try_acquire(path: Path, *, within_seconds: float = 0) -> int | None:
    """The exclusive lock, or None when somebody holds it all that time."""
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
    """Whether the open file is still the one found under that path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def release(descriptor: int) -> None:
    """Release for every holder of the same open file."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def write_pid(descriptor: int) -> None:
    """Write our process id into the locked file, so that others know whom to ask."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def terminate_holder(path: Path) -> bool:
    """Ask the process that holds and signed the lock to end, and wait until it has; False when nobody holds it."""
    if not path.exists() or not is_locked(path):
        return False
    os.kill(int(path.read_text()), signal.SIGTERM)
    os.close(acquire(path))
    return True
