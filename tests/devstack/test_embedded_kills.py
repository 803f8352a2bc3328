"""Kill real servers, their processes and their daemon. Each test has its own data folder."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from common.file_locks import acquire
from devstack import embedded
from devstack.embedded.paths import ServerPaths
from tests.devstack.test_embedded import client_of, connect, data_dir, query_value, start_error
from tests.support.processes import ENVIRONMENT, ended_at_last, processes_naming, wait_until

__all__ = ["data_dir"]

POSTGRESQL, VALKEY, DAEMON = "/postgres -D {}/postgresql ", "unixsocket:{}/run/valkey.sock", "embedded.daemon {} "
BUSY = "SELECT count(*) FROM generate_series(1, 10000000000)"  # runs for minutes and never waits


def pid_of(mark: str, data_dir: Path) -> int:
    (pid,) = processes_naming(mark.format(data_dir))
    return pid


def kill(data_dir: Path, *marks: str) -> None:
    for pid in [pid_of(mark, data_dir) for mark in marks]:
        os.kill(pid, signal.SIGKILL)


def log_of(data_dir: Path) -> str:
    return (data_dir / "daemon.log").read_text()


def store(urls: dict[str, str], number: int) -> None:
    with connect(urls) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (number int)")
        connection.execute("INSERT INTO note VALUES (%s)", [number])
    redis.Redis.from_url(urls["REDIS_URL"]).rpush("notes", number)


def stored(urls: dict[str, str]) -> tuple[object, list[bytes]] | None:
    """Return the stored numbers of both servers, or None if one does not respond."""
    with contextlib.suppress(psycopg.OperationalError, redis.RedisError):
        numbers = query_value(urls, "SELECT array_agg(number ORDER BY number) FROM note")
        return numbers, redis.Redis.from_url(urls["REDIS_URL"]).lrange("notes", 0, -1)
    return None


@contextlib.contextmanager
def watching(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "devstack.embedded.watch", str(data_dir)]
    with ended_at_last(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)) as process:
        yield process


@pytest.mark.parametrize("marks", [[POSTGRESQL], [VALKEY], [POSTGRESQL, VALKEY]])
def test_killed_servers_are_started_again_with_their_data_and_the_other_goes_on(data_dir: Path, marks: list[str]):
    name = "postgresql" if POSTGRESQL in marks else "valkey"
    with client_of(data_dir) as (_, urls):
        others = {mark: pid_of(mark, data_dir) for mark in (POSTGRESQL, VALKEY, DAEMON) if mark not in marks}
        for number in (1, 2):
            store(urls, number)
            kill(data_dir, *marks)
            wait_until(lambda: log_of(data_dir).count(f"{name} responds again after ") == number)  # noqa: B023
            wait_until(lambda: stored(urls))
            assert stored(urls) == (list(range(1, number + 1)), [b"1", b"2"][:number])
        assert f"{name} was killed by SIGKILL and is started again\n" in log_of(data_dir)
        assert {mark: pid_of(mark, data_dir) for mark in others} == others


def test_a_query_of_a_killed_postgresql_does_not_delay_the_restart(data_dir: Path):
    with client_of(data_dir) as (_, urls):
        store(urls, 1)
        with contextlib.closing(connect(urls)) as connection:
            connection.pgconn.send_query(BUSY.encode())
            backend = connection.info.backend_pid
            query = "SELECT array_agg(pid) FROM pg_stat_activity WHERE state = 'active'"
            wait_until(lambda: backend in query_value(urls, query))
            kill(data_dir, POSTGRESQL)
            wait_until(lambda: stored(urls))
        assert backend not in processes_naming("postgres: nna-")


def test_postgresql_survives_the_kill_of_a_backend(data_dir: Path):
    with client_of(data_dir) as (_, urls):
        store(urls, 1)
        postmaster = pid_of(POSTGRESQL, data_dir)
        with contextlib.closing(connect(urls)) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        wait_until(lambda: stored(urls))
        assert stored(urls) == ([1], [b"1"])
        assert pid_of(POSTGRESQL, data_dir) == postmaster


def test_a_sequence_of_a_migration_does_not_go_back_when_postgresql_is_killed(data_dir: Path):
    with client_of(data_dir) as (_, urls):
        with connect(urls) as connection, connection.transaction():
            connection.execute("CREATE TABLE note (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number int)")
            connection.execute("INSERT INTO note (number) VALUES (0)")
        with connect(urls) as connection:
            connection.execute("INSERT INTO note (number) VALUES (1)")
        kill(data_dir, POSTGRESQL)
        wait_until(lambda: stored(urls))
        with connect(urls) as connection:
            connection.execute("INSERT INTO note (number) VALUES (2)")
        assert stored(urls) == ([0, 1, 2], [])


@pytest.mark.parametrize("marks", [[DAEMON], [DAEMON, POSTGRESQL], [DAEMON, VALKEY, POSTGRESQL]])
def test_a_killed_daemon_is_started_again_with_its_servers(data_dir: Path, marks: list[str]):
    with client_of(data_dir) as (_, urls), watching(data_dir) as watch:
        store(urls, 1)
        daemon = pid_of(DAEMON, data_dir)
        with contextlib.closing(connect(urls)) as connection:
            connection.pgconn.send_query(BUSY.encode())
            kill(data_dir, *marks)
            assert watch.stdout
            assert watch.stdout.readline() == "The embedded servers had lost their daemon and were started again\n"
        assert stored(urls) == ([1], [b"1"])
        assert pid_of(DAEMON, data_dir) != daemon


def test_a_server_that_ends_again_and_again_is_left_down_and_the_other_goes_on(data_dir: Path):
    with client_of(data_dir) as (_, urls), watching(data_dir) as watch:
        assert watch.stdout
        for _ in range(5):
            wait_until(lambda: processes_naming(VALKEY.format(data_dir)))
            kill(data_dir, VALKEY)
            while "valkey was killed by SIGKILL" not in (line := watch.stdout.readline()):
                assert watch.poll() is None
        assert "valkey was killed by SIGKILL again and is LEFT DOWN" in line
        assert line.endswith(f"one start is tried every 60 s. Its log is {data_dir}/valkey.log\n")
        assert not processes_naming(VALKEY.format(data_dir))
        assert query_value(urls, "SELECT 1") == 1


def test_a_queue_that_is_cut_off_at_the_end_keeps_what_came_before(data_dir: Path):
    with client_of(data_dir) as (_, urls):
        store(urls, 1)
        store(urls, 2)
        (file,) = (data_dir / "valkey" / "appendonlydir").glob("*.incr.aof")
        os.truncate(file, file.stat().st_size - 3)
        for number in (1, 2):
            kill(data_dir, VALKEY)
            wait_until(lambda: log_of(data_dir).count("valkey responds again after ") == number)  # noqa: B023
            assert stored(urls) == ([1, 2], [b"1"])


def test_a_damaged_queue_is_set_aside(data_dir: Path):
    with client_of(data_dir) as (_, urls):
        store(urls, 1)
        (file,) = (data_dir / "valkey" / "appendonlydir").glob("*.incr.aof")
        file.write_bytes(b"*3\r\nnot a command\r\n" + file.read_bytes())
        kill(data_dir, VALKEY)
        wait_until(lambda: stored(urls))
        assert stored(urls) == ([1], [])
        assert (data_dir / "valkey" / "appendonlydir.damaged" / file.name).exists()
        assert "Its files were damaged and are now in" in log_of(data_dir)
    embedded.stop(data_dir)
    (file,) = (data_dir / "valkey" / "appendonlydir").glob("*.incr.aof")
    file.write_bytes(b"*3\r\nnot a command\r\n")
    with client_of(data_dir) as (_, urls):
        assert stored(urls) == ([1], [])


def test_stale_files_that_name_running_processes_do_not_stop_a_start(data_dir: Path):
    with client_of(data_dir) as (_, urls):
        store(urls, 1)
        postmaster = (data_dir / "postgresql" / "postmaster.pid").read_text().splitlines()
    embedded.stop(data_dir)
    (data_dir / "run").mkdir(exist_ok=True)
    stale = "\n".join([str(os.getppid()), *postmaster[1:]])
    for name in ("postgresql/postmaster.pid", "run/.s.PGSQL.5432.lock", "valkey/valkey.pid", "run/valkey.sock"):
        (data_dir / name).write_text(stale)
    with contextlib.suppress(PermissionError):  # root runs the servers as another user
        owner = (data_dir / "postgresql").stat()
        os.chown(data_dir / "run", owner.st_uid, owner.st_gid)
    with client_of(data_dir) as (_, urls):
        assert stored(urls) == ([1], [b"1"])


def test_a_lock_held_by_another_program_is_reported(data_dir: Path):
    data_dir.mkdir()
    lock = acquire(ServerPaths(data_dir).postgresql_lock)
    assert "servers.lock is locked by a program that is not postgresql" in start_error(data_dir)
    os.close(lock)
    with client_of(data_dir) as (_, urls):
        assert query_value(urls, "SELECT 1") == 1
