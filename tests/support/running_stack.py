"""The whole service with servers of its own, as `make run` starts it, in a folder of its own."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from accounts.demo import ADMIN_EMAIL, DEMO_PASSWORD
from devstack import embedded
from devstack.embedded.paths import DATABASE_NAME, ServerPaths
from tests.support.processes import ENVIRONMENT, PROJECT, ended_at_last, parents, processes_naming, wait_until

# These name the servers and settings of the tests.
_NOT_PASSED = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE", "CACHE_KEY_PREFIX")


@dataclass
class RunningStack:
    folder: Path
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def servers(self) -> Path:
        return self.folder / "servers"

    def pids(self, mark: str) -> set[int]:
        """Return the processes of this stack whose command line contains the mark."""
        marked, parent_of, own = processes_naming(mark), parents(), processes_naming(str(self.folder))
        return {pid for pid in marked if pid in own or self.process.pid in _ancestors(pid, parent_of)}

    def main_pid(self, mark: str) -> int:
        """Return the process with the mark whose parent has another command line."""
        pids, parent_of = self.pids(mark), parents()
        (pid,) = (pid for pid in pids if parent_of.get(pid) not in pids)
        return pid

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(ServerPaths(self.servers).sockets), user="postgres", dbname=DATABASE_NAME, autocommit=True
        )

    def manage(self, *arguments: str) -> str:
        """Return the output of a management command. Fails the test if the command fails."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def health(self) -> dict[str, bool]:
        """Return which of `database` and `cache` respond, both False if the web server does not."""
        with contextlib.suppress(OSError), urllib.request.urlopen(self.url("/api/health"), timeout=5) as response:
            config = json.load(response)["config"]
            return {name: config[name]["connected"] for name in ("database", "cache")}
        return {"database": False, "cache": False}

    def is_healthy(self) -> bool:
        return all(self.health().values())

    def token(self) -> str:
        body = json.dumps({"email": ADMIN_EMAIL, "password": DEMO_PASSWORD}).encode()
        request = urllib.request.Request(self.url("/api/auth/login"), body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)["data"]["token"]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip())


def _ancestors(pid: int, parent_of: dict[int, int]) -> Iterator[int]:
    while pid := parent_of.get(pid, 0):
        yield pid


@contextlib.contextmanager
def running_stack(folder: Path) -> Iterator[RunningStack]:
    """Start the stack, and stop it and its servers. `folder` must have a short path, for the sockets."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {name: text for name, text in ENVIRONMENT.items() if name not in _NOT_PASSED} | {
        "STACK_DIR": str(folder / "stack"),
        "EMBEDDED_DIR": str(folder / "servers"),
        "MEDIA_ROOT": str(folder / "media"),
        "PRIVATE_MEDIA_ROOT": str(folder / "private"),
        "PORT": str(port),
        "DEMO": "0",
        "LOG_LEVEL": "INFO",
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_stack", "--host", "127.0.0.1", "--port", str(port)],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with ended_at_last(process):
        stack = RunningStack(folder, port, environment, process)
        reader = threading.Thread(target=stack._read, daemon=True)
        reader.start()
        try:
            wait_until(lambda: process.poll() is not None or any("Serving on" in line for line in stack.lines), 120)
            assert process.poll() is None, "\n".join(stack.lines)
            yield stack
            process.terminate()
            process.wait(60)
        finally:
            process.kill()
            reader.join(10)
            embedded.stop(folder / "servers")
