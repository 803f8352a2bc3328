"""The process that owns both servers. Started by `client.ensure`, ends by itself."""

import contextlib
import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import psycopg

from config.embedded_servers.places import DATABASE_NAME, Places, ServersFailed, find_postgresql, find_valkey

_LOOK_SECONDS = 0.25
_GRACE_SECONDS = 2.0  # `manage.py` calls that follow one another find the servers still there
_READY_TIMEOUT_SECONDS = 60
_STOP_TIMEOUT_SECONDS = 20
_PR_SET_PDEATHSIG = 1
# The one privilege the database server keeps when root starts it: to reach files below a home only root may enter.
# Without no_setuid_fixup the kernel drops it again on the change of user, and initdb cannot read its own program.
_ONE_PRIVILEGE = (
    "--inh-caps=-all,+dac_override",
    "--ambient-caps=-all,+dac_override",
    "--bounding-set=-all,+dac_override",
)


class Keeper:
    def __init__(self, places: Places, *, ephemeral: bool) -> None:
        self.places = places
        self.ephemeral = ephemeral
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.is_told_to_stop = False
        self.user = _unprivileged_user()
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))} | {
            "LC_ALL": "C",
            "TZ": "UTC",
        }

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        try:
            self._start()
            self._tell("ready")
            self._wait_until_unused()
        except Exception as error:
            self._tell(str(error) or repr(error))
            raise
        finally:
            self._stop()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self.is_told_to_stop = True

    def _tell(self, state: str) -> None:
        draft = self.places.state.with_suffix(".new")
        draft.write_text(state)
        draft.replace(self.places.state)

    def _start(self) -> None:
        self.places.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._give_to_user(self.places.sockets)
        self.places.sockets.chmod(0o755 if self.user else 0o700)
        programs = find_postgresql()
        _stop_leftover(self.places.cluster / "postmaster.pid", "postgres")
        _stop_leftover(self.places.data / "valkey.pid", "valkey-server")
        self._make_cluster(programs)
        self._start_postgresql(programs)
        self._start_valkey()
        self._wait_until_ready()

    def _make_cluster(self, programs: Path) -> None:
        major = subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, text=True)
        installed = major.stdout.split()[2].split(".")[0]
        version_file = self.places.cluster / "PG_VERSION"
        if version_file.exists():
            found = version_file.read_text().strip()
            if found != installed:
                raise ServersFailed(
                    f"{self.places.cluster} was made by PostgreSQL {found}, the installed one is {installed}:"
                    " dump it with the old one and load it into the new, or delete the folder (make reset)"
                )
            return
        # Made beside its place and moved there whole: a start that was cut off leaves nothing half made.
        draft = self.places.data / "postgresql.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._give_to_user(draft)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if int(installed) >= 17 else []
        made = subprocess.run(
            [*self._as_user(), programs / "initdb", "-D", draft, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
             "--no-sync", "--no-instructions", "--locale=C" if locale else "--locale=C.UTF-8", *locale],
            capture_output=True, text=True, env=self.environment, cwd="/", check=False,
        )  # fmt: skip
        if made.returncode:
            raise ServersFailed(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
        draft.rename(self.places.cluster)

    def _start_postgresql(self, programs: Path) -> None:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.places.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",  # one test alone opens 64
            "shared_buffers": "128MB",
            "work_mem": "16MB",
            "random_page_cost": "1.1",
            "jit": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "timezone": "UTC",
        }
        if self.ephemeral:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._launch(
            "postgresql", [*self._as_user(), str(programs / "postgres"), "-D", str(self.places.cluster), *settings]
        )

    def _start_valkey(self) -> None:
        persistence = ["--save", "", "--appendonly", "no"] if self.ephemeral else ["--appendonly", "yes"]
        self._launch(
            "valkey",
            [str(find_valkey()), "--port", "0", "--unixsocket", str(self.places.valkey_socket),
             "--unixsocketperm", "700", "--dir", str(self.places.data), "--daemonize", "no",
             "--pidfile", str(self.places.data / "valkey.pid"), "--maxmemory-policy", "noeviction", *persistence],
        )  # fmt: skip

    def _launch(self, name: str, command: list[str]) -> None:
        with self.places.log(name).open("ab") as log:
            self.servers[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd="/",
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT_SECONDS
        while True:
            self._raise_if_one_died()
            try:
                with psycopg.connect(
                    host=str(self.places.sockets), user="postgres", dbname="postgres", autocommit=True
                ) as link:
                    known = link.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]).fetchone()
                    if not known:
                        link.execute(f'CREATE DATABASE "{DATABASE_NAME}"')
                if self.places.valkey_socket.exists():
                    return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.03)

    def _raise_if_one_died(self) -> None:
        for name, server in self.servers.items():
            if server.poll() is not None:
                raise ServersFailed(f"{name} ended at once: {self.places.log(name).read_text()[-1500:]}")

    def _wait_until_unused(self) -> None:
        users = os.open(self.places.users_lock, os.O_RDWR | os.O_CREAT, 0o600)
        grace_seconds = 0.0 if self.ephemeral else _GRACE_SECONDS
        unused_since: float | None = None
        while not self.is_told_to_stop and self.places.data.exists():
            time.sleep(_LOOK_SECONDS)
            self._raise_if_one_died()
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                unused_since = None
                continue
            unused_since = unused_since or time.monotonic()
            if time.monotonic() - unused_since >= grace_seconds:
                return  # the lock stays ours: a newcomer waits for it until this process has ended
            fcntl.flock(users, fcntl.LOCK_UN)

    def _stop(self) -> None:
        for name, server in self.servers.items():
            if server.poll() is None:
                # For PostgreSQL this is the fast shutdown: clients are cut off, data is written.
                server.send_signal(signal.SIGINT if name == "postgresql" else signal.SIGTERM)
        for server in self.servers.values():
            try:
                server.wait(_STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
        if self.places.state.exists() and self.places.state.read_text() == "ready":
            self.places.state.unlink()
        if self.places.sockets.parent != self.places.data:
            shutil.rmtree(self.places.sockets, ignore_errors=True)
        if self.ephemeral:
            shutil.rmtree(self.places.data, ignore_errors=True)

    def _as_user(self) -> list[str]:
        """The start of a command line that gives up root, which PostgreSQL refuses to run as."""
        if self.user is None:
            return []
        identity = [f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups", "--no-new-privs"]
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise ServersFailed(
                "PostgreSQL does not run as root, and setpriv (util-linux) is not here to step down: use another user"
            )
        # The change of user clears the parent-death signal set before it, so it is asked for again here.
        return [setpriv, *identity, *_ONE_PRIVILEGE, "--securebits=+no_setuid_fixup", "--pdeathsig=SIGINT"]

    def _give_to_user(self, folder: Path) -> None:
        if self.user is not None:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServersFailed("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _stop_leftover(pid_file: Path, program: str) -> None:
    """A server whose keeper was killed where the kernel does not end children with their parent."""
    try:
        pid = int(pid_file.read_text().split()[0])
        name = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout
    except (OSError, ValueError, IndexError, subprocess.CalledProcessError):
        pid_file.unlink(missing_ok=True)
        return
    if program in name:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
            for _ in range(100):
                os.kill(pid, 0)
                time.sleep(0.05)
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)
    pid_file.unlink(missing_ok=True)


def main() -> None:
    os.umask(0o022)
    places = Places(Path(sys.argv[1]))
    with places.keeper_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        Keeper(places, ephemeral="--ephemeral" in sys.argv[2:]).run()


if __name__ == "__main__":
    main()
