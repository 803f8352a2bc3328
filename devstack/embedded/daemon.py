"""The process that owns the servers: starts both, waits for their last user to go, stops them.

Run by `ensure` as `python -m devstack.embedded.daemon DATA_DIR TURN REPORT EPHEMERAL`, TURN and REPORT being
descriptors: the lock that makes others wait for us, and the pipe that takes "ready" or the reason why not.
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
from devstack.embedded.run_as import choose_identity

LOOK_SECONDS = 0.25
LINGER_SECONDS = 2  # the next command often follows the last one at once
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
    def __init__(self, layout: ServerPaths, *, ephemeral: bool) -> None:
        self.layout = layout
        self.ephemeral = ephemeral
        self.identity = choose_identity()
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.told_to_stop = False

    def start(self) -> None:
        postgres_folder, valkey = find_postgres(), find_valkey()
        own = acquire(self.layout.daemon_lock)  # kept until the process ends
        write_pid(own)
        living = self._outlive_leftovers()
        for folder in (self.layout.sockets, self.layout.queue):
            self.identity.own(folder)
        self._prepare_cluster(postgres_folder)
        self._launch("postgresql", self._postgres_command(postgres_folder), living)
        self._launch("valkey", self._valkey_command(valkey), living)
        os.close(living)
        self._wait_until(self._postgres_answers, "postgresql")
        self._wait_until(self._valkey_answers, "valkey")

    def keep(self) -> None:
        """Return when the servers shall stop; nobody can join them from then on."""
        users_file = os.open(self.layout.clients_lock, os.O_RDWR | os.O_CREAT, 0o600)
        unused_since: float | None = None
        while not self.told_to_stop and is_same_file(users_file, self.layout.clients_lock):
            time.sleep(LOOK_SECONDS)
            if any(server.poll() is not None for server in self.servers.values()):
                break
            if not self._is_unused():
                unused_since = None
                continue
            unused_since = unused_since or time.monotonic()
            if self.ephemeral or time.monotonic() - unused_since >= LINGER_SECONDS:
                turn = acquire(self.layout.startup_lock)  # whoever wants to join now waits, and then starts anew
                if self._is_unused():
                    return
                os.close(turn)
        if self.layout.data_dir.exists():
            acquire(self.layout.startup_lock)

    def stop(self) -> None:
        for server in self.servers.values():
            if server.poll() is None:
                server.send_signal(signal.SIGINT)  # both take it as "finish properly, but now"
        for server in self.servers.values():
            try:
                server.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
        if self.servers:
            shutil.rmtree(self.layout.sockets, ignore_errors=True)
        if self.ephemeral:
            shutil.rmtree(self.layout.data_dir, ignore_errors=True)

    def _is_unused(self) -> bool:
        probe = try_acquire(self.layout.clients_lock)
        if probe is None:
            return False
        os.close(probe)
        return True

    def _outlive_leftovers(self) -> int:
        """Servers whose keeper was killed are stopped first; gives the lock that the new servers hold."""
        living = try_acquire(self.layout.servers_lock, within_seconds=2)
        if living is None:
            for process_file in (self.layout.cluster / "postmaster.pid", self.layout.queue / "valkey.pid"):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError, IndexError):
                    os.kill(int(process_file.read_text().split()[0]), signal.SIGINT)
            living = try_acquire(self.layout.servers_lock, within_seconds=STOP_TIMEOUT_SECONDS)
        if living is None:
            raise EmbeddedServersError(
                f"servers of an earlier start still run on {self.layout.data_dir} and do not stop"
            )
        # No server lives, so a process file is stale: its number may be another program's by now.
        (self.layout.cluster / "postmaster.pid").unlink(missing_ok=True)
        self.layout.valkey_socket.unlink(missing_ok=True)
        return living

    def _prepare_cluster(self, postgres_folder: Path) -> None:
        major = read_major_version(postgres_folder)
        version_file = self.layout.cluster / "PG_VERSION"
        if self.layout.cluster.exists():
            self.identity.own(self.layout.cluster)
            made_by = version_file.read_text().strip() if version_file.exists() else "an unknown version"
            if made_by != major:
                raise EmbeddedServersError(
                    f"{self.layout.cluster} was made by PostgreSQL {made_by}, but {major} is installed: "
                    "dump and reload it with the old version, or delete it (`make reset`)"
                )
            return
        # Built under another name, so that a cluster is either whole or not there.
        unfinished = self.layout.cluster.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self.identity.own(unfinished)
        command = [postgres_folder / "initdb", "--pgdata", unfinished, "--username=postgres", "--auth=trust"]
        command += ["--encoding=UTF8", "--no-sync", "--no-instructions"]
        # The built-in locale sorts the same on every machine and needs nothing installed; 17 brought it.
        command += (
            ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            if int(major) >= 17
            else ["--locale=C.UTF-8"]
        )
        self._run("initdb", command)
        command = [postgres_folder / "postgres", "--single", "-F", "-D", unfinished, "postgres"]
        self._run("createdb", command, stdin=f"CREATE DATABASE {DATABASE_NAME}\n".encode())
        unfinished.rename(self.layout.cluster)

    def _postgres_command(self, postgres_folder: Path) -> list[str | Path]:
        settings = POSTGRES_SETTINGS | (EPHEMERAL_SETTINGS if self.ephemeral else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [postgres_folder / "postgres", "-D", self.layout.cluster, "-k", self.layout.sockets, *options]

    def _valkey_command(self, valkey: Path) -> list[str | Path]:
        command: list[str | Path] = [valkey, "--port", "0", "--unixsocket", self.layout.valkey_socket]
        command += ["--unixsocketperm", "700", "--dir", self.layout.queue, "--daemonize", "no"]
        command += ["--pidfile", self.layout.queue / "valkey.pid", "--maxmemory-policy", "noeviction", "--save", ""]
        return [*command, "--appendonly", "no" if self.ephemeral else "yes"]

    def _run(self, name: str, command: list[str | Path], stdin: bytes = b"") -> None:
        with self.layout.open_log(name) as log:
            if self.identity.run(command, log, stdin):
                raise EmbeddedServersError(f"{name} failed as user {self.identity.name}:\n{self.layout.log_tail(name)}")

    def _launch(self, name: str, command: list[str | Path], living: int) -> None:
        with self.layout.open_log(name) as log:
            self.servers[name] = self.identity.launch(command, log, pass_fds=[living])

    def _wait_until(self, answers: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while not answers():
            if self.servers[name].poll() is not None or time.monotonic() > deadline:
                raise EmbeddedServersError(f"{name} did not start:\n{self.layout.log_tail(name)}")
            time.sleep(0.01)

    def _postgres_answers(self) -> bool:
        try:
            lines = (self.layout.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _valkey_answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(1)
            client.connect(str(self.layout.valkey_socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        return False


def main(data_dir: str, turn: str, report: str, ephemeral: str) -> None:
    layout = ServerPaths(Path(data_dir))
    with os.fdopen(int(report), "w") as verdict:
        daemon: ServerDaemon | None = None
        try:
            daemon = ServerDaemon(layout, ephemeral=ephemeral == "1")

            def stop_soon(*_: object) -> None:
                daemon.told_to_stop = True

            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, stop_soon)
            daemon.start()
        except (EmbeddedServersError, OSError, subprocess.SubprocessError) as error:
            verdict.write(str(error))
            if daemon:
                daemon.stop()
            return
        verdict.write("ready")
    release(int(turn))
    try:
        daemon.keep()
    finally:
        daemon.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
