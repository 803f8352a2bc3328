"""The command, the files and the state of the embedded Valkey."""

import contextlib
import re
import shutil
import socket
from pathlib import Path

from devstack.embedded.paths import ServerPaths
from devstack.embedded.run_as import RunAsUser
from devstack.embedded.server import Server

# What Valkey logs before it exits because of its files. It loads a file that is cut off at the end.
_DAMAGED_FILES = re.compile(
    r"Bad file format|Unexpected end of file|Unknown command|AOF loading aborted|AOF file .* doesn't exist"
    r"|Invalid AOF manifest|FATAL AOF MANIFEST"
)


def valkey_server(program: Path, paths: ServerPaths, run_as: RunAsUser, *, ephemeral: bool) -> Server:
    command: list[str | Path] = [program, "--port", "0", "--unixsocket", paths.valkey_socket]
    command += ["--unixsocketperm", "700", "--dir", paths.queue, "--daemonize", "no"]
    command += ["--pidfile", paths.queue / "valkey.pid", "--maxmemory-policy", "noeviction", "--save", ""]
    command += ["--appendonly", "no" if ephemeral else "yes"]
    return Server(
        name="valkey",
        command=command,
        paths=paths,
        run_as=run_as,
        lock_file=paths.valkey_lock,
        stale_files=(paths.valkey_socket,),
        marks=(f"unixsocket:{paths.valkey_socket}", f"--unixsocket {paths.valkey_socket} "),
        responds=lambda: _responds(paths.valkey_socket),
        repair=lambda log: _set_damaged_queue_aside(paths.queue, log),
    )


def _responds(socket_file: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
        client.settimeout(1)
        client.connect(str(socket_file))
        client.sendall(b"PING\r\n")
        return client.recv(16).startswith(b"+PONG")
    return False


def _set_damaged_queue_aside(queue: Path, log: str) -> str:
    """Let Valkey start with an empty queue: the rows are the truth, and scheduled tasks send their messages again."""
    files = queue / "appendonlydir"
    last_start = log.rpartition("oO0OoO0OoO0Oo")[2]  # in the first line of each start
    if not files.exists() or not _DAMAGED_FILES.search(last_start):
        return ""
    aside = queue / "appendonlydir.damaged"
    shutil.rmtree(aside, ignore_errors=True)
    files.rename(aside)
    return f"Its files were damaged and are now in {aside}; the queue is empty"
