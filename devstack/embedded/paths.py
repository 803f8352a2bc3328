"""Where the servers keep what: one data folder, with the sockets inside it or, where that is impossible, beside."""

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
        """Held by whoever brings the servers up or takes them down."""
        return self.data_dir / "turn.lock"

    @property
    def clients_lock(self) -> Path:
        """Shared by every process that uses the servers."""
        return self.data_dir / "users.lock"

    @property
    def daemon_lock(self) -> Path:
        """Held by the keeper, whose process id stands inside."""
        return self.data_dir / "keeper.lock"

    @property
    def servers_lock(self) -> Path:
        """Passed on to both servers, so it tells whether any of them lives, with or without a keeper."""
        return self.data_dir / "servers.lock"

    @property
    def sockets(self) -> Path:
        inside = self.data_dir / "run"
        # Addresses are read as URLs by programs that disagree about escapes, so only plain paths will do.
        is_plain = re.fullmatch(r"[A-Za-z0-9/._+-]+", str(inside))
        if is_plain and len(os.fsencode(inside / _LONGEST_SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES:
            return inside
        name = f"nna-{os.geteuid()}-{hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]}"
        temporary = Path(tempfile.gettempdir())
        return (temporary if len(str(temporary)) < 40 else Path("/tmp")) / name  # noqa: S108 - checked for its owner

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def addresses(self) -> dict[str, str]:
        # Each reader has its own way to spell a socket; `//` is how django-environ tells a folder from a host.
        return {
            "DATABASE_URL": f"postgres://postgres@/{self.sockets}/{DATABASE_NAME}",
            "REDIS_URL": f"unix://{self.valkey_socket}",
            "CELERY_BROKER_URL": f"redis+socket://{self.valkey_socket}",
        }

    def open_log(self, name: str) -> IO[bytes]:
        """The log of one start: the last one's is overwritten, so that nothing grows."""
        return (self.data_dir / f"{name}.log").open("wb")

    def log_tail(self, name: str, max_chars: int = 2000) -> str:
        log = self.data_dir / f"{name}.log"
        return log.read_text(errors="replace")[-max_chars:].strip() if log.exists() else ""
