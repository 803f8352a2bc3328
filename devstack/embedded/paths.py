"""Paths of the servers: one data folder that contains the sockets, if their path is valid."""

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

DATABASE_NAME = "registry"
MAX_SOCKET_PATH_BYTES = 100  # the kernel's limit is 104 on macOS, 108 on Linux
_LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"


# The names of the lock files stay: servers of an earlier release may hold them.
@dataclass(frozen=True)
class ServerPaths:
    data_dir: Path

    @property
    def cluster(self) -> Path:
        return self.data_dir / "postgresql"

    @property
    def queue(self) -> Path:
        return self.data_dir / "valkey"

    @property
    def startup_lock(self) -> Path:
        """Held while the servers start or stop."""
        return self.data_dir / "turn.lock"

    @property
    def clients_lock(self) -> Path:
        """Shared by all processes that use the servers."""
        return self.data_dir / "users.lock"

    @property
    def daemon_lock(self) -> Path:
        """Held by the daemon, which writes its process id into the file."""
        return self.data_dir / "keeper.lock"

    @property
    def postgresql_lock(self) -> Path:
        """Inherited by all processes of PostgreSQL: locked while one of them runs, even if the daemon has died."""
        return self.data_dir / "servers.lock"

    @property
    def valkey_lock(self) -> Path:
        """Like `postgresql_lock`."""
        return self.data_dir / "valkey.lock"

    @property
    def title(self) -> str:
        """Name the servers of this folder in a list of processes."""
        return f"nna-{os.geteuid()}-{hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]}"

    @property
    def sockets(self) -> Path:
        inside = self.data_dir / "run"
        # The paths become parts of URLs, whose escapes programs parse differently, so special characters are avoided.
        is_plain = re.fullmatch(r"[A-Za-z0-9/._+-]+", str(inside))
        if is_plain and len(os.fsencode(inside / _LONGEST_SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES:
            return inside
        temporary = Path(tempfile.gettempdir())
        return (temporary if len(str(temporary)) < 40 else Path("/tmp")) / self.title  # noqa: S108 - its owner is checked

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def urls(self) -> dict[str, str]:
        # Each library has its own URL for a socket. django-environ needs `//` to read a folder instead of a host.
        return {
            "DATABASE_URL": f"postgres://postgres@/{self.sockets}/{DATABASE_NAME}",
            "REDIS_URL": f"unix://{self.valkey_socket}",
            "CELERY_BROKER_URL": f"redis+socket://{self.valkey_socket}",
        }

    def log_file(self, name: str) -> Path:
        return self.data_dir / f"{name}.log"

    def open_log(self, name: str, *, append: bool = False) -> IO[bytes]:
        """Open the log of a start. It overwrites the last log, so that logs do not grow."""
        return self.log_file(name).open("ab" if append else "wb")

    def log_tail(self, name: str, max_chars: int = 2000) -> str:
        log = self.log_file(name)
        return log.read_text(errors="replace")[-max_chars:].strip() if log.exists() else ""
