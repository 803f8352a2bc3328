"""The daemon that owns the servers: starts both and stops them when no client is left.

`ensure` runs `python -m devstack.embedded.daemon DATA_DIR STARTUP_LOCK REPORT EPHEMERAL`. Two arguments are file
descriptors: STARTUP_LOCK blocks other processes, and REPORT is a pipe for "ready" or an error message.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from common.file_locks import acquire, is_same_file, release, try_acquire, write_pid
from devstack.embedded.binaries import find_postgres, find_valkey, read_major_version
from devstack.embedded.errors import EmbeddedServersError
from devstack.embedded.paths import DATABASE_NAME, ServerPaths
from devstack.embedded.run_as import choose_run_as_user

POLL_SECONDS = 0.25
LINGER_SECONDS = 2  # so that the next command does not have to start the servers again
READY_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 20
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "250",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
EPHEMERAL_SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class ServerDaemon:
    def __init__(self, paths: ServerPaths, *, ephemeral: bool) -> None:
        self.paths = paths
        self.ephemeral = ephemeral
        self.run_as = choose_run_as_user()
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.should_stop = False

    def start(self) -> None:
        postgres_folder, valkey = find_postgres(), find_valkey()
        daemon_lock = acquire(self.paths.daemon_lock)  # held until the process ends
        write_pid(daemon_lock)
        servers_lock = self._stop_old_servers()
        for folder in (self.paths.sockets, self.paths.queue):
            self.run_as.make_private_dir(folder)
        self._prepare_cluster(postgres_folder)
        self._launch("postgresql", self._postgres_command(postgres_folder), servers_lock)
        self._launch("valkey", self._valkey_command(valkey), servers_lock)
        os.close(servers_lock)
        self._wait_until(self._postgres_responds, "postgresql")
        self._wait_until(self._valkey_responds, "valkey")

    def run_until_unused(self) -> None:
        """Return when the servers should stop. The startup lock is then held, so no process can start using them."""
        clients_file = os.open(self.paths.clients_lock, os.O_RDWR | os.O_CREAT, 0o600)
        unused_since: float | None = None
        while not self.should_stop and is_same_file(clients_file, self.paths.clients_lock):
            time.sleep(POLL_SECONDS)
            if any(server.poll() is not None for server in self.servers.values()):
                break
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
        for server in self.servers.values():
            if server.poll() is None:
                server.send_signal(signal.SIGINT)  # both servers shut down cleanly at once
        for server in self.servers.values():
            try:
                server.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
        if self.servers:
            shutil.rmtree(self.paths.sockets, ignore_errors=True)
        if self.ephemeral:
            shutil.rmtree(self.paths.data_dir, ignore_errors=True)

    def _is_unused(self) -> bool:
        probe = try_acquire(self.paths.clients_lock)
        if probe is None:
            return False
        os.close(probe)
        return True

    def _stop_old_servers(self) -> int:
        """Stop servers whose daemon was killed. Return the lock for the new servers."""
        servers_lock = try_acquire(self.paths.servers_lock, within_seconds=2)
        if servers_lock is None:
            for process_file in (self.paths.cluster / "postmaster.pid", self.paths.queue / "valkey.pid"):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError, IndexError):
                    os.kill(int(process_file.read_text().split()[0]), signal.SIGINT)
            servers_lock = try_acquire(self.paths.servers_lock, within_seconds=STOP_TIMEOUT_SECONDS)
        if servers_lock is None:
            raise EmbeddedServersError(
                f"old servers of {self.paths.data_dir} did not stop within {STOP_TIMEOUT_SECONDS} s"
            )
        # No server is running, so the PID file is stale: its number may belong to another program.
        (self.paths.cluster / "postmaster.pid").unlink(missing_ok=True)
        self.paths.valkey_socket.unlink(missing_ok=True)
        return servers_lock

    def _prepare_cluster(self, postgres_folder: Path) -> None:
        major = read_major_version(postgres_folder)
        version_file = self.paths.cluster / "PG_VERSION"
        if self.paths.cluster.exists():
            self.run_as.make_private_dir(self.paths.cluster)
            made_by = version_file.read_text().strip() if version_file.exists() else "an unknown version"
            if made_by != major:
                raise EmbeddedServersError(
                    f"{self.paths.cluster} was created by PostgreSQL {made_by}, but {major} is installed. "
                    "Dump and reload it with the old version, or delete it (`make reset`)"
                )
            return
        # Built under another name, so that an interrupted start leaves no incomplete cluster.
        unfinished = self.paths.cluster.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self.run_as.make_private_dir(unfinished)
        command = [postgres_folder / "initdb", "--pgdata", unfinished, "--username=postgres", "--auth=trust"]
        command += ["--encoding=UTF8", "--no-sync", "--no-instructions"]
        # The built-in locale (since PostgreSQL 17) sorts equally on all machines and needs no system locale.
        command += (
            ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            if int(major) >= 17
            else ["--locale=C.UTF-8"]
        )
        self._run("initdb", command)
        command = [postgres_folder / "postgres", "--single", "-F", "-D", unfinished, "postgres"]
        self._run("createdb", command, stdin=f"CREATE DATABASE {DATABASE_NAME}\n".encode())
        unfinished.rename(self.paths.cluster)

    def _postgres_command(self, postgres_folder: Path) -> list[str | Path]:
        settings = POSTGRES_SETTINGS | (EPHEMERAL_SETTINGS if self.ephemeral else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [postgres_folder / "postgres", "-D", self.paths.cluster, "-k", self.paths.sockets, *options]

    def _valkey_command(self, valkey: Path) -> list[str | Path]:
        command: list[str | Path] = [valkey, "--port", "0", "--unixsocket", self.paths.valkey_socket]
        command += ["--unixsocketperm", "700", "--dir", self.paths.queue, "--daemonize", "no"]
        command += ["--pidfile", self.paths.queue / "valkey.pid", "--maxmemory-policy", "noeviction", "--save", ""]
        return [*command, "--appendonly", "no" if self.ephemeral else "yes"]

    def _run(self, name: str, command: list[str | Path], stdin: bytes = b"") -> None:
        with self.paths.open_log(name) as log:
            if self.run_as.run(command, log, stdin):
                raise EmbeddedServersError(f"{name} failed as user {self.run_as.name}:\n{self.paths.log_tail(name)}")

    def _launch(self, name: str, command: list[str | Path], servers_lock: int) -> None:
        with self.paths.open_log(name) as log:
            self.servers[name] = self.run_as.launch(command, log, pass_fds=[servers_lock])

    def _wait_until(self, is_ready: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while not is_ready():
            if self.servers[name].poll() is not None or time.monotonic() > deadline:
                raise EmbeddedServersError(f"{name} did not start:\n{self.paths.log_tail(name)}")
            time.sleep(0.01)

    def _postgres_responds(self) -> bool:
        try:
            lines = (self.paths.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _valkey_responds(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(1)
            client.connect(str(self.paths.valkey_socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        return False


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
