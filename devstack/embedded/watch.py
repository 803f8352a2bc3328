"""Keep the daemon of the servers running, and print its messages: `python -m devstack.embedded.watch DATA_DIR`."""

import sys
import time
from pathlib import Path

from devstack import embedded
from devstack.embedded.paths import ServerPaths

POLL_SECONDS = 0.25


def watch(data_dir: Path) -> str:
    """Run until the servers cannot be started. Return the reason."""
    paths = ServerPaths(data_dir.resolve())
    log = paths.log_file("daemon")
    read_bytes = 0
    while paths.cluster.exists():
        try:
            if embedded.restart_daemon(data_dir):
                _print("The embedded servers had lost their daemon and were started again")
        except embedded.EmbeddedServersError as error:
            return str(error)
        read_bytes = _print_new_lines(log, read_bytes)
        time.sleep(POLL_SECONDS)
    return f"{paths.cluster} was deleted: stop the service and start it again"


def _print_new_lines(log: Path, read_bytes: int) -> int:
    """Print the lines after `read_bytes`. Return the new size of the log, which each daemon starts from zero."""
    size = log.stat().st_size if log.exists() else 0
    if size not in (0, read_bytes):
        with log.open("rb") as file:
            file.seek(read_bytes if size > read_bytes else 0)
            _print(file.read(size - file.tell()).decode(errors="replace").rstrip())
    return size


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(watch(Path(sys.argv[1])))
