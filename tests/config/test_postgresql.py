"""The database backend: limits of a session, connections that the server closed, statements without a response."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from config.postgresql import time_limits
from config.postgresql.connection import CircuitOpen, ServerSilent, WatchedConnection, breaker_of
from tests.support.processes import ENVIRONMENT, PROJECT, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def _connect() -> WatchedConnection:
    settings = connection.settings_dict
    return WatchedConnection.connect(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], dbname=settings["NAME"], autocommit=True
    )


@pytest.fixture
def limits_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "_kind", "request")


def _query(sql: str) -> tuple[object, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


@pytest.mark.usefixtures("limits_of_requests")
def test_the_server_limits_the_statements_of_a_request(settings: Settings) -> None:
    limits = settings.DATABASE_TIME_LIMITS["request"]
    with _connect() as own:
        read = {name: own.execute(f"SHOW {name}").fetchone()[0] for name in ("statement_timeout", "lock_timeout")}
    assert read == {
        "statement_timeout": f"{limits['statement_seconds']}s", "lock_timeout": f"{limits['lock_seconds']}s"
    }  # fmt: skip


def test_a_command_may_run_statements_without_limit() -> None:
    with _connect() as own:
        assert own.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_a_slow_statement_of_a_server_that_responds_is_completed() -> None:
    with _connect() as own:
        assert own.execute("SELECT 7 FROM pg_sleep(2)").fetchone() == (7,)


def test_a_stopped_session_of_a_server_that_responds_is_closed_after_the_limit() -> None:
    own = _connect()
    own._max_seconds = 1  # the limit of its statements, and the time in which the server reports it
    pid = own.info.backend_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ServerSilent):
            own.execute("SELECT 1")
        assert own.closed
        assert not breaker_of(own._server).is_open
        assert _query("SELECT 1") == (1,)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_connection_that_the_server_closed_is_replaced_before_the_next_request() -> None:
    (pid,) = _query("SELECT pg_backend_pid()")
    with _connect() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        wait_until(lambda: other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() is None)
    connection.close_if_unusable_or_obsolete()  # at the start of each request
    assert _query("SELECT pg_backend_pid()") != (pid,)


@pytest.fixture
def open_circuit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with _connect() as own:
        breaker = breaker_of(own._server)
    monkeypatch.setattr(breaker, "_probe_interval_seconds", 0.05)
    monkeypatch.setattr(breaker, "_probe", lambda: False)
    breaker.open("a test")
    yield
    monkeypatch.undo()
    wait_until(lambda: not breaker.is_open)


def test_an_open_circuit_refuses_connections_until_a_probe_succeeds(open_circuit: None) -> None:
    with pytest.raises(CircuitOpen):
        _connect()


def test_the_interrupt_of_a_long_statement_cancels_it() -> None:
    own = _connect()
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(2)  # after the first check of the server
    with pytest.raises(KeyboardInterrupt):
        own.execute("SELECT pg_sleep(60)")
    assert own.info.transaction_status != psycopg.pq.TransactionStatus.ACTIVE


def test_a_pool_has_connections_of_the_same_kind() -> None:
    code = (
        "from django.db import connection\n"
        "connection.ensure_connection()\n"
        "print(type(connection.connection).__name__)\n"
        "connection.close()\n"
        "connection.close_pool()"
    )
    environment = ENVIRONMENT | {"DATABASE_POOL": "1", "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
    shown = subprocess.run(command, env=environment, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    assert shown.strip() == "WatchedConnection"


def test_errors_of_the_backend_are_those_of_django() -> None:
    (pid,) = _query("SELECT pg_backend_pid()")
    with pytest.raises(OperationalError):
        _query(f"SELECT pg_terminate_backend({pid})")
    connection.close()
