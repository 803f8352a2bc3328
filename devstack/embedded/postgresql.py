"""The command, the files and the state of the embedded PostgreSQL."""

import sys
from pathlib import Path

from devstack.embedded.paths import ServerPaths
from devstack.embedded.run_as import RunAsUser
from devstack.embedded.server import Server

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "250",
    "shared_buffers": "128MB",
    # Not `minimal`: there a sequence that was created and used in one transaction, as in migrations, goes back after a
    # crash, so that the next rows get keys that exist.
    "wal_level": "replica",
    "max_wal_senders": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Crash recovery first writes all files to the disk: one by one this takes seconds.
LINUX_SETTINGS = {"recovery_init_sync_method": "syncfs"}
EPHEMERAL_SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def postgresql_server(folder: Path, paths: ServerPaths, run_as: RunAsUser, *, ephemeral: bool) -> Server:
    """Return the server with the programs of `folder`."""
    # Each process of the server shows the name of the cluster in its command line.
    settings = SETTINGS | {"cluster_name": paths.title} | (EPHEMERAL_SETTINGS if ephemeral else {})
    if sys.platform == "linux":
        settings |= LINUX_SETTINGS
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    process_file = paths.cluster / "postmaster.pid"
    return Server(
        name="postgresql",
        command=[folder / "postgres", "-D", paths.cluster, "-k", paths.sockets, *options],
        paths=paths,
        run_as=run_as,
        lock_file=paths.postgresql_lock,
        stale_files=(process_file, *(paths.sockets / name for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"))),
        marks=(f"postgres: {paths.title}: ", f" -D {paths.cluster} "),
        responds=lambda: _is_ready(process_file),
    )


def _is_ready(process_file: Path) -> bool:
    try:
        lines = process_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"
