"""A connection that is closed when the server no longer responds.

The timeouts of the server do not help if all its processes are stopped, nor do those of TCP, because the kernel still
acknowledges packets. So a call that takes long asks on a second connection whether the server responds.
"""

import time
from collections.abc import Generator
from contextlib import closing
from functools import cache
from typing import Any

import psycopg
from psycopg.errors import ConnectionTimeout, OperationalError, _WaitTimeout

from common.circuit_breaker import CircuitBreaker
from config.postgresql.time_limits import current_time_limits

_INTERVAL_SECONDS = 0.1  # how often psycopg looks for Ctrl-C
_FIRST_CHECK_SECONDS = 0.4  # more than nearly all calls take, so that they cost no second connection
_MAX_CHECK_SECONDS = 5.0
_STATEMENT_GRACE_SECONDS = 5.0  # the server reports its own timeout within this time, unless the session is stopped
_SERVER_KEYS = ("host", "port", "dbname", "user", "password", "service", "sslmode", "sslrootcert")


class CircuitOpen(OperationalError):
    """The server did not respond to an earlier call, so no connection was tried."""


class ServerSilent(OperationalError):
    """The server did not respond in time. The connection was closed; whether a statement took effect is unknown."""


class TimedConnection(psycopg.Connection[Any]):
    """Connects within the limit, also if it is below two seconds, which is the minimum of `connect_timeout`."""

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Generator[Any, Any, Any]:
        deadline = time.monotonic() + current_time_limits().connect_seconds
        attempt = super()._connect_gen(conninfo)
        ready = None
        try:
            while True:
                ready = yield attempt.send(ready)
                if not ready and time.monotonic() > deadline:
                    raise ConnectionTimeout("the server did not accept the connection in time")
        except StopIteration as stop:
            return stop.value


class WatchedConnection(TimedConnection):
    _server: tuple[tuple[str, Any], ...]  # parameters of a connection to the same server
    _max_seconds: float | None

    @classmethod
    def connect(cls, conninfo: str = "", **kwargs: Any) -> "WatchedConnection":
        """Raises CircuitOpen at once while the server does not respond, and ConnectionTimeout."""
        server = check_circuit(conninfo=conninfo, **kwargs)
        limits = current_time_limits()
        options = f"{kwargs.pop('options', '')} {limits.session_options}".strip()
        try:
            connection = super().connect(conninfo, options=options, **kwargs)
        except ConnectionTimeout as error:
            breaker_of(server).open(str(error))
            raise
        connection._server = server
        connection._max_seconds = limits.statement_seconds and limits.statement_seconds + _STATEMENT_GRACE_SECONDS
        return connection

    def wait(self, gen: Any, interval: float = _INTERVAL_SECONDS, timeout: float | None = None) -> Any:
        """Wait for the server. Raises ServerSilent after closing the connection if the server does not respond."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, _FIRST_CHECK_SECONDS)
        except _WaitTimeout:
            return self._wait_longer(gen, interval)

    def _wait_longer(self, gen: Any, interval: float) -> Any:
        waited_seconds = pause_seconds = _FIRST_CHECK_SECONDS
        started = time.monotonic() - waited_seconds
        while self._max_seconds is None or waited_seconds < self._max_seconds:
            if not server_responds(self._server):
                breaker_of(self._server).open(f"no response to a statement for {waited_seconds:.1f} s")
                break
            pause_seconds = min(pause_seconds * 2, _MAX_CHECK_SECONDS)
            try:
                return super().wait(_resume(gen), interval, pause_seconds)
            except _WaitTimeout:
                waited_seconds = time.monotonic() - started
        self.pgconn.finish()
        raise ServerSilent("PostgreSQL did not respond in time; the connection was closed")


def _resume(gen: Any) -> Generator[Any, Any, Any]:
    """Continue a generator whose wait timed out: it expects to be told that nothing was ready."""
    try:
        state = gen.send(0)
        while True:
            state = gen.send((yield state))
    except StopIteration as stop:
        return stop.value


def check_circuit(conninfo: str = "", **kwargs: Any) -> tuple[tuple[str, Any], ...]:
    """Return the server of these parameters of a connection. Raises CircuitOpen if it does not respond."""
    server = (("conninfo", conninfo), *((key, kwargs[key]) for key in _SERVER_KEYS if key in kwargs))
    if breaker_of(server).is_open:
        raise CircuitOpen("PostgreSQL does not respond")
    return server


def server_responds(server: tuple[tuple[str, Any], ...]) -> bool:
    """True if the server responds within the limit of a connection. A rejected connection is a response, too."""
    try:
        with closing(TimedConnection.connect(**dict(server), autocommit=True)) as connection:
            statement = connection.cursor()._execute_gen("SELECT 1")
            connection.wait(statement, timeout=current_time_limits().connect_seconds)
    except (ConnectionTimeout, _WaitTimeout):
        return False
    except psycopg.Error:
        return True
    return True


@cache
def breaker_of(server: tuple[tuple[str, Any], ...]) -> CircuitBreaker:
    return CircuitBreaker("postgresql", lambda: server_responds(server))
