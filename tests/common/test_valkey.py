"""One circuit breaker for all users of a Valkey server, with a server that accepts connections and never responds."""

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from django.core.cache import caches
from pytest_django import Settings
from redis.exceptions import RedisError

from api.throttling import consume_rate_limit
from common import response_times
from common.task_dispatch import dispatch_best_effort
from common.valkey import CircuitOpen, breaker_for, call_valkey


class SilentServer:
    """Accepts connections into the backlog and counts those that arrived."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._accepted: list[socket.socket] = []

    def connections(self) -> int:
        while True:
            try:
                self._accepted.append(self._listener.accept()[0])
            except BlockingIOError:
                return len(self._accepted)

    def close(self) -> None:
        for accepted in [*self._accepted, self._listener]:
            accepted.close()


@pytest.fixture
def server(settings: Settings) -> Iterator[SilentServer]:
    silent = SilentServer()
    cache = settings.CACHES["default"]
    settings.CACHES = {"default": cache | {"LOCATION": f"redis://127.0.0.1:{silent.port}/1"}}
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{silent.port}"
    yield silent
    silent.close()


@pytest.fixture
def open_circuit(server: SilentServer, monkeypatch: pytest.MonkeyPatch) -> SilentServer:
    breaker = breaker_for(f"redis://127.0.0.1:{server.port}")
    monkeypatch.setattr(breaker, "_probe_interval_seconds", 3600)  # its connections would be counted
    with pytest.raises(RedisError):
        caches["default"].get("key")
    assert breaker.is_open
    assert server.connections() == 1
    return server


def test_urls_of_one_server_share_a_breaker() -> None:
    assert breaker_for("unix:///run/valkey.sock?db=1") is breaker_for("redis+socket:///run/valkey.sock")
    assert breaker_for("redis://:secret@cache:6379/1") is breaker_for("redis://cache")
    assert breaker_for("redis://cache:6380") is not breaker_for("redis://cache:6379")


def test_after_one_failed_call_of_the_cache_nothing_calls_the_server(open_circuit: SilentServer) -> None:
    for _ in range(5):
        with pytest.raises(CircuitOpen):
            caches["default"].get("key")
        response_times.record_response_time(1.0)
        response_times.flush()
        dispatch_best_effort(current_app.tasks["albumart.tasks.process_artwork"], 1)
    assert open_circuit.connections() == 1


def test_throttles_count_in_the_process_while_the_circuit_is_open(
    open_circuit: SilentServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.throttling.api_settings", SimpleNamespace(DEFAULT_THROTTLE_RATES={"login": "3/day"}))
    waits = [consume_rate_limit("login", f"address-{open_circuit.port}") for _ in range(5)]
    assert [wait is None for wait in waits] == [True, True, True, False, False]
    assert open_circuit.connections() == 1


def test_an_error_that_the_server_reports_leaves_the_circuit_closed(server: SilentServer) -> None:
    url = f"redis://127.0.0.1:{server.port}/7"
    with pytest.raises(RedisError), call_valkey(url):
        raise RedisError("OOM command not allowed")
    assert not breaker_for(url).is_open


def test_a_silent_broker_opens_the_circuit_of_the_cache(server: SilentServer, monkeypatch: pytest.MonkeyPatch) -> None:
    breaker = breaker_for(f"redis://127.0.0.1:{server.port}")
    monkeypatch.setattr(breaker, "_probe_interval_seconds", 3600)
    sent: list[Any] = []

    class Task:
        name = "task"

        def apply_async(self, args: tuple[int, ...], **options: Any) -> None:
            sent.append(args)
            with current_app.connection_for_write(url=f"redis://127.0.0.1:{server.port}") as connection:
                connection.default_channel.client.ping()

    dispatch_best_effort(Task(), 7)
    assert sent == [(7,)]
    assert breaker.is_open
    with pytest.raises(CircuitOpen):
        caches["default"].get("key")
