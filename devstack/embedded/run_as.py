"""The user that runs the servers. PostgreSQL refuses to run as root, so root uses an unprivileged user."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from devstack.embedded.errors import EmbeddedServersError

_UNPRIVILEGED_USERS = ("postgres", "nobody")
_CAP_DAC_OVERRIDE = 1  # its bit in /proc/self/status
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class RunAsUser:
    uid: int
    gid: int
    name: str
    drops_root: bool

    def make_private_dir(self, folder: Path) -> None:
        """Create the folder if needed, private to the servers. Raises EmbeddedServersError for another owner."""
        created = not folder.exists()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if created and self.drops_root:
            os.chown(folder, self.uid, self.gid)
        status = folder.lstat()
        if status.st_uid != self.uid or folder.is_symlink():
            raise EmbeddedServersError(
                f"{folder} belongs to user {_name_of(status.st_uid)}, but the servers run as {self.name}. "
                "Work as the user who created it, or delete it."
            )
        folder.chmod(0o700)

    def run(self, command: Sequence[str | Path], log: IO[bytes], stdin: bytes = b"") -> int:
        """Run the command and return its exit code."""
        return subprocess.run(
            [*self._wrapping(), *command], input=stdin, stdout=log, stderr=subprocess.STDOUT, **self._options()
        ).returncode

    def launch(self, command: Sequence[str | Path], log: IO[bytes], pass_fds: Sequence[int]) -> subprocess.Popen[bytes]:
        """Start a server. On Linux the kernel stops it when this process dies."""
        return subprocess.Popen(
            [*self._wrapping(), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=pass_fds,
            start_new_session=True,
            # Changing the user clears the parent-death signal, so setpriv sets it after the change.
            preexec_fn=None if self.drops_root else _die_with_parent,
            **self._options(),
        )

    def _options(self) -> dict[str, object]:
        # Variables of the caller would change the server that clients use, and its language.
        environment = {name: text for name, text in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        options: dict[str, object] = {"cwd": "/", "env": environment | {"LC_ALL": "C", "TZ": "UTC"}}
        if self.drops_root and not shutil.which("setpriv"):
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def _wrapping(self) -> list[str]:
        setpriv = shutil.which("setpriv")
        if not self.drops_root or not setpriv:
            return []
        wrapping = [
            setpriv,
            f"--reuid={self.uid}",
            f"--regid={self.gid}",
            "--clear-groups",
            "--no-new-privs",
            "--pdeathsig=SIGINT",
        ]
        if _has_dac_override():
            # Programs and data may be below a home folder that only root can enter, so this capability is kept.
            # Without no_setuid_fixup the kernel ignores it when it checks whether a file is executable.
            kept = "-all,+dac_override"
            wrapping += [f"--inh-caps={kept}", f"--ambient-caps={kept}", f"--bounding-set={kept}"]
            wrapping += ["--securebits=+no_setuid_fixup"]
        return wrapping


def choose_run_as_user() -> RunAsUser:
    if os.geteuid() != 0:
        return RunAsUser(os.geteuid(), os.getegid(), _name_of(os.geteuid()), drops_root=False)
    for name in _UNPRIVILEGED_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return RunAsUser(entry.pw_uid, entry.pw_gid, name, drops_root=True)
    raise EmbeddedServersError("PostgreSQL does not run as root, and this machine has no user 'postgres' or 'nobody'")


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _has_dac_override() -> bool:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return False
    effective = next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
    return bool(effective >> _CAP_DAC_OVERRIDE & 1)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
