"""The command lines of running processes."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path


def command_lines() -> Iterator[tuple[int, str]]:
    """Yield the id and the command line, words separated by spaces. Zombies have an empty one."""
    proc = Path("/proc")
    if (proc / "self" / "cmdline").exists():
        for folder in proc.glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                yield int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return
    listing = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    for pid, arguments in (line.split(None, 1) for line in listing.splitlines()):
        yield int(pid), arguments
