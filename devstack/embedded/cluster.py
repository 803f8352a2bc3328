"""Create the files of the database."""

import shutil
from pathlib import Path

from devstack.embedded.binaries import read_major_version
from devstack.embedded.errors import EmbeddedServersError
from devstack.embedded.paths import DATABASE_NAME, ServerPaths
from devstack.embedded.run_as import RunAsUser


def prepare_cluster(postgres_folder: Path, paths: ServerPaths, run_as: RunAsUser) -> None:
    """Create the cluster, or check the existing one. Raises EmbeddedServersError for one of another version or user."""
    major = read_major_version(postgres_folder)
    version_file = paths.cluster / "PG_VERSION"
    if paths.cluster.exists():
        run_as.make_private_dir(paths.cluster)
        made_by = version_file.read_text().strip() if version_file.exists() else "an unknown version"
        if made_by != major:
            raise EmbeddedServersError(
                f"{paths.cluster} was created by PostgreSQL {made_by}, but {major} is installed. "
                "Dump and reload it with the old version, or delete it (`make reset`)"
            )
        return
    # Built under another name, so that an interrupted start leaves no incomplete cluster.
    unfinished = paths.cluster.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    run_as.make_private_dir(unfinished)
    command = [postgres_folder / "initdb", "--pgdata", unfinished, "--username=postgres", "--auth=trust"]
    command += ["--encoding=UTF8", "--no-sync", "--no-instructions"]
    # The built-in locale (since PostgreSQL 17) sorts equally on all machines and needs no system locale.
    command += (
        ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if int(major) >= 17
        else ["--locale=C.UTF-8"]
    )
    _run("initdb", command, paths, run_as)
    command = [postgres_folder / "postgres", "--single", "-F", "-D", unfinished, "postgres"]
    _run("createdb", command, paths, run_as, stdin=f"CREATE DATABASE {DATABASE_NAME}\n".encode())
    unfinished.rename(paths.cluster)


def _run(name: str, command: list[str | Path], paths: ServerPaths, run_as: RunAsUser, stdin: bytes = b"") -> None:
    with paths.open_log(name) as log:
        if run_as.run(command, log, stdin):
            raise EmbeddedServersError(f"{name} failed as user {run_as.name}:\n{paths.log_tail(name)}")
