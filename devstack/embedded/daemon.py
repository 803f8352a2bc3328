"""The daemon that owns the servers: starts both, starts them again if they end, and stops them without clients.

`ensure` runs `python -m devstack.embedded.daemon DATA_DIR STARTUP_LOCK REPORT EPHEMERAL`. Two arguments are file
descriptors: STARTUP_LOCK blocks other processes, and REPORT is a pipe for "ready" or an error message. Later messages
are lines in `daemon.log`.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from common.file_locks import acquire, is_same_file, release, try_acquire, write_pid
from devstack.embedded.binaries import find_postgres, find_valkey
from devstack.embedded.cluster import prepare_cluster
from devstack.embedded.errors import EmbeddedServersError
from devstack.embedded.paths import ServerPaths
from devstack.embedded.postgresql import postgresql_server
from devstack.embedded.run_as import choose_run_as_user
from devstack.embedded.server import Server
from devstack.embedded.valkey import valkey_server

POLL_SECONDS = 0.1
LINGER_SECONDS = 2  # so that the next command does not have to start the servers again


class ServerDaemon:
    def __init__(self, paths: ServerPaths, *, ephemeral: bool) -> None:
        self.paths = paths
        self.ephemeral = ephemeral
        self.run_as = choose_run_as_user()
        self.servers: list[Server] = []
        self.should_stop = False

    def start(self) -> None:
        postgres_folder, valkey = find_postgres(), find_valkey()
        daemon_lock = acquire(self.paths.daemon_lock)  # held until the process ends
        write_pid(daemon_lock)
        for folder in (self.paths.sockets, self.paths.queue):
            self.run_as.make_private_dir(folder)
        self.servers = [
            postgresql_server(postgres_folder, self.paths, self.run_as, ephemeral=self.ephemeral),
            valkey_server(valkey, self.paths, self.run_as, ephemeral=self.ephemeral),
        ]
        for server in self.servers:
            server.end_old_processes()
        prepare_cluster(postgres_folder, self.paths, self.run_as)
        for server in self.servers:
            server.launch()
        for server in self.servers:
            server.wait_until_ready()

    def run_until_unused(self) -> None:
        """Return when the servers should stop. The startup lock is then held, so no process can start using them."""
        clients_file = os.open(self.paths.clients_lock, os.O_RDWR | os.O_CREAT, 0o600)
        unused_since: float | None = None
        while not self.should_stop and is_same_file(clients_file, self.paths.clients_lock):
            time.sleep(POLL_SECONDS)
            for line in filter(None, [server.watch() for server in self.servers]):
                sys.stderr.write(f"{line}\n")
            if not self._is_unused():
                unused_since = None
                continue
            unused_since = unused_since or time.monotonic()
            if self.ephemeral or time.monotonic() - unused_since >= LINGER_SECONDS:
                startup_lock = acquire(self.paths.startup_lock)  # new clients wait, then start new servers
                if self._is_unused():
                    return
                os.close(startup_lock)
        if self.paths.data_dir.exists():
            acquire(self.paths.startup_lock)

    def stop(self) -> None:
        for server in self.servers:
            server.interrupt()
        for server in self.servers:
            server.wait_for_end()
        if any(server.process for server in self.servers):
            shutil.rmtree(self.paths.sockets, ignore_errors=True)
        if self.ephemeral:
            shutil.rmtree(self.paths.data_dir, ignore_errors=True)

    def _is_unused(self) -> bool:
        probe = try_acquire(self.paths.clients_lock)
        if probe is None:
            return False
        os.close(probe)
        return True


def main(data_dir: str, startup_lock: str, report: str, ephemeral: str) -> None:
    paths = ServerPaths(Path(data_dir))
    with os.fdopen(int(report), "w") as status:
        daemon: ServerDaemon | None = None
        try:
            daemon = ServerDaemon(paths, ephemeral=ephemeral == "1")

            def stop_soon(*_: object) -> None:
                daemon.should_stop = True

            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, stop_soon)
            daemon.start()
        except (EmbeddedServersError, OSError, subprocess.SubprocessError) as error:
            status.write(str(error))
            if daemon:
                daemon.stop()
            return
        status.write("ready")
    release(int(startup_lock))
    try:
        daemon.run_until_unused()
    finally:
        daemon.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
