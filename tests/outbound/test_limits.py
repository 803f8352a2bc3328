"""Time and memory of a fetch are bounded for any behavior of the source."""

import gc
import socket
import threading
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pytest_django import Settings

from common.errors import RegistryError
from outbound import FetchPolicy, RemoteUnavailable, ResponseRejected, fetch, open_service_connection, post
from tests.support.bad_server import MIB
from tests.support.source_server import Conversation, SourceServer

Policies = Callable[..., FetchPolicy]
_MARGIN_SECONDS = 3  # a busy machine


@contextmanager
def takes_at_most(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds + _MARGIN_SECONDS


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/silent", "timeout"),
        ("/slow-headers", "timeout"),
        ("/endless-continue", "connection_broken"),
        ("/slow-body", "too_slow"),
        ("/stalls", "too_slow"),
        ("/slow-chunk-size", "too_slow"),
    ],
)
def test_a_slow_source_times_out(path: str, code: str, server: SourceServer, hurried: Policies) -> None:
    with takes_at_most(0.6 + 0.4), pytest.raises(RemoteUnavailable) as error:
        fetch(server.url(path), hurried())
    assert error.value.code == code


@pytest.mark.parametrize("path", ["/silent", "/slow-headers", "/slow-body", "/stalls", "/slow-chunk-size", "/endless"])
def test_the_total_timeout_covers_every_phase(path: str, server: SourceServer, hurried: Policies) -> None:
    patient = hurried(
        total_seconds=0.5,
        first_byte_seconds=60,
        min_bytes_per_second=0,
        max_bytes=10**12 if path == "/slow-body" else MIB,
    )
    with takes_at_most(0.5), pytest.raises(RegistryError) as error:
        fetch(server.url(path), patient)
    assert error.value.code == ("too_large" if path == "/endless" else "timeout")


def test_the_total_timeout_covers_all_redirects(server: SourceServer, hurried: Policies) -> None:
    def behave(conversation: Conversation) -> None:
        conversation.pause(0.2)
        conversation.head(302, Location="/later", Content_Length=0)

    with takes_at_most(0.7), pytest.raises(RemoteUnavailable) as error:
        fetch(server.answer_by("/later", behave), hurried(total_seconds=0.7, max_redirects=50))
    assert error.value.code == "timeout"


def test_a_slow_source_above_the_minimum_rate_is_accepted(server: SourceServer, hurried: Policies) -> None:
    def behave(conversation: Conversation) -> None:
        conversation.head(Content_Length=1500)
        for _ in range(15):
            conversation.send(bytes(100))
            conversation.pause(0.06)

    assert len(fetch(server.answer_by("/", behave), hurried(min_bytes_per_second=500)).content) == 1500
    with pytest.raises(RemoteUnavailable) as error:
        fetch(server.url("/"), hurried(min_bytes_per_second=5000))
    assert error.value.code == "too_slow"


@contextmanager
def _listener(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """Yield a port without TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            accepted, _ = listening.accept()
            with accepted:
                behave(accepted)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


def _drip_a_handshake(accepted: socket.socket) -> None:
    """Send the header of a long TLS record and then single bytes, so that no single read times out."""
    try:
        accepted.sendall(b"\x16\x03\x03\x40\x00")
        for _ in range(100):
            accepted.sendall(b"\x02")
            time.sleep(0.05)
    except OSError:
        return


@pytest.mark.parametrize(
    ("behave", "code"),
    [
        (_drip_a_handshake, "timeout"),
        (lambda accepted: accepted.recv(1) and time.sleep(1), "timeout"),
        (lambda accepted: accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "tls_failed"),
        (lambda accepted: None, "tls_failed"),
    ],
)
def test_a_port_without_tls_is_an_error(
    behave: Callable[[socket.socket], None], code: str, server: SourceServer, hurried: Policies, settings: Settings
) -> None:
    with _listener(behave) as port, takes_at_most(0.5):
        settings.OUTBOUND_ALLOWED_PORTS = [port]
        with pytest.raises(RemoteUnavailable) as error:
            fetch(f"https://127.0.0.1:{port}/", hurried(connect_seconds=0.5))
    assert error.value.code == code


def test_a_closed_port_is_an_error(server: SourceServer, hurried: Policies, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings.OUTBOUND_ALLOWED_PORTS = [port]
    with takes_at_most(0.5), pytest.raises(RemoteUnavailable) as error:
        fetch(f"https://127.0.0.1:{port}/", hurried(connect_seconds=0.5))
    assert error.value.code == "connect_failed"


def test_a_hanging_name_server_times_out(
    server: SourceServer, hurried: Policies, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: is_over.wait(10) and [])
    with takes_at_most(0.3), pytest.raises(RemoteUnavailable) as error:
        fetch(server.url("/empty", host="art.example"), hurried(connect_seconds=0.3))
    is_over.set()
    assert error.value.code == "dns_failed"


def test_a_receiver_that_reads_nothing_times_out(hurried: Policies, server: SourceServer, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    is_over = threading.Event()
    with _listener(lambda accepted: is_over.wait(10) and None) as port, takes_at_most(0.4):
        settings.OUTBOUND_ALLOWED_PORTS = [port]
        with pytest.raises(RemoteUnavailable) as error:
            post(f"http://127.0.0.1:{port}/", bytes(64 * MIB), {}, hurried(first_byte_seconds=0.4))
        is_over.set()
    assert error.value.code == "timeout"


@pytest.mark.parametrize("path", ["/endless", "/endless-chunks", "/stated-too-large"])
def test_reading_stops_at_the_maximum_size(path: str, server: SourceServer, hurried: Policies) -> None:
    with takes_at_most(1), pytest.raises(ResponseRejected) as error:
        fetch(server.url(path), hurried())
    assert error.value.code == "too_large"


@pytest.mark.parametrize(
    "path", ["/endless", "/endless-chunks", "/endless-tiny-chunks", "/endless-trailers", "/endless-chunk-extension"]
)
def test_an_endless_response_uses_bounded_memory(path: str, server: SourceServer, hurried: Policies) -> None:
    """The limit includes the few chunks of the server, which runs in this process."""
    tracemalloc.start()
    try:
        with pytest.raises(RegistryError):
            fetch(server.url(path), hurried(max_bytes=2 * MIB, total_seconds=3))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * MIB


@pytest.mark.parametrize(
    "path",
    [
        "/huge-headers",
        "/huge-header-line",
        "/many-headers",
        "/endless-tiny-chunks",
        "/endless-chunk-extension",
        "/endless-trailers",
        "/shorter-than-stated",
        "/two-lengths",
        "/negative-length",
        "/truncated-chunk",
        "/no-last-chunk",
        "/bad-chunk-size",
        "/negative-chunk-size",
        "/reset",
        "/reset-at-once",
        "/hangs-up",
        "/cut-off",
        "/not-http",
    ],
)
def test_an_incomplete_response_is_an_error(path: str, server: SourceServer, hurried: Policies) -> None:
    with takes_at_most(2), pytest.raises(RemoteUnavailable) as error:
        fetch(server.url(path), hurried())
    assert error.value.code == "connection_broken"


@pytest.mark.parametrize("path", ["/empty", "/status-404", "/reset", "/to-private", "/stalls", "/endless"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_socket_is_closed(
    scheme: str, path: str, server: SourceServer, hurried: Policies, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    gc.collect()  # garbage of other tests
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        with suppress(RegistryError):
            fetch(server.url(path, scheme=scheme), hurried(max_redirects=1))
        gc.collect()
    assert not caught


def test_a_configured_service_may_be_on_any_host(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s"))
        unix.listen()
        for address in (f"tcp://127.0.0.1:{tcp.getsockname()[1]}", f"unix:{tmp_path}/s"):
            with open_service_connection(address, timeout_seconds=2) as service:
                assert service.gettimeout() == 2


def test_an_unavailable_service_is_named_in_the_error(tmp_path: Path) -> None:
    for address in (f"unix:{tmp_path}/nothing", "tcp://127.0.0.1:1"):
        with pytest.raises(RemoteUnavailable) as error:
            open_service_connection(address, timeout_seconds=1)
        assert error.value.code == "connect_failed"


@pytest.mark.parametrize("address", ["", "/run/service", "unix:relative", "tcp://host", "tcp://:3310", "http://host:1"])
def test_an_invalid_service_url_is_an_error_of_the_settings(address: str) -> None:
    with pytest.raises(ValueError):
        open_service_connection(address, timeout_seconds=1)
