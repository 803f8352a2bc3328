"""A server with one path for each fault that was observed in servers on the internet.

with bad_server() as server, override_settings(**server.settings):
    server.serve("/cover.jpg", content, content_type="image/jpeg")
    fetch(server.url("/cover.jpg"), policy)
    assert server.requests[0].headers["host"]
"""

import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate

from tests.support.source_server import HOSTS, Behaviour, Conversation, SourceServer, source_server

MIB = 1024 * 1024


def _respond(status: int, content: bytes = b"", **headers: str | int) -> Behaviour:
    def behave(conversation: Conversation) -> None:
        conversation.head(status, **{"Content_Length": len(content)} | headers)
        conversation.send(content)

    return behave


def _send(*parts: bytes, resets: bool = False) -> Behaviour:
    """Send exactly these bytes, then close."""

    def behave(conversation: Conversation) -> None:
        for part in parts:
            conversation.send(part)
        if resets:
            conversation.pause(0.1)  # so that the bytes arrive before the reset
            conversation.reset()

    return behave


def _cut_off(conversation: Conversation) -> None:
    """End a body without Content-Length and without TLS close_notify, as a man in the middle would forge it."""
    conversation.send(_OK + b"\r\nabcdefg")
    conversation.cut()


def _drip(before: bytes, dripped: bytes, every_seconds: float = 0.05) -> Behaviour:
    def behave(conversation: Conversation) -> None:
        conversation.send(before)
        conversation.drip(dripped, every_seconds)

    return behave


def _send_endlessly(before: bytes, piece: bytes) -> Behaviour:
    def behave(conversation: Conversation) -> None:
        conversation.send(before)
        while not conversation.server.is_closing.is_set():
            conversation.send(piece)

    return behave


def _stall(before: bytes) -> Behaviour:
    def behave(conversation: Conversation) -> None:
        conversation.send(before)
        conversation.pause(60)

    return behave


def _redirect_to_longer_url(conversation: Conversation) -> None:
    """Redirect to a URL that is longer than the last."""
    conversation.head(
        302, Location=conversation.request.path + "?" * (1 - conversation.request.path.count("?")) + "a" * 400
    )


def _redirect_n_times(conversation: Conversation) -> None:
    """`/hops?50` redirects fifty times, then returns content."""
    left = int(conversation.request.path.partition("?")[2])
    if left:
        conversation.head(302, Location=f"/hops?{left - 1}", Content_Length=0)
    else:
        _respond(200, b"arrived")(conversation)


_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_BOMB = gzip.compress(bytes(20 * MIB))
# A Brotli stream. Brotli is not installed: the client must reject the encoding by its name.
_BROTLI = b"\xcf\xff\xff\x7f\xf8\x27\x00\xe2\xb1\x40\x20\xf0\xff\x7f"


def behaviours() -> dict[str, Behaviour]:
    return {
        # Slow
        "/silent": _stall(b""),
        "/slow-headers": _drip(_OK, b"X-A: " + b"a" * 10_000),
        "/slow-body": _drip(_OK + b"Content-Length: 10000\r\n\r\n", b"a" * 10_000),
        "/stalls": _stall(_OK + b"Content-Length: 100000\r\n\r\n" + b"a" * 1000),
        "/slow-chunk-size": _drip(_CHUNKED, b"0" * 10_000),
        # Endless
        "/endless": _send_endlessly(_OK + b"\r\n", bytes(65536)),
        "/endless-chunks": _send_endlessly(_CHUNKED, b"10000\r\n" + bytes(65536) + b"\r\n"),
        "/endless-tiny-chunks": _send_endlessly(_CHUNKED, b"1\r\na\r\n" * 1000),
        "/endless-chunk-extension": _send_endlessly(_CHUNKED + b"1;", b"a" * 65536),
        "/endless-trailers": _send_endlessly(_CHUNKED + b"1\r\na\r\n0\r\n", b"X: a\r\n" * 1000),
        "/endless-continue": _send_endlessly(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "/stated-too-large": _respond(200, b"a", Content_Length=10**12),
        "/huge-headers": _send_endlessly(_OK, b"X-A: " + b"a" * 60_000 + b"\r\n"),
        "/huge-header-line": _send_endlessly(_OK + b"X-A: ", b"a" * 65536),
        "/many-headers": _send(_OK, b"X-A: a\r\n" * 101, b"Content-Length: 1\r\n\r\na"),
        # Broken
        "/shorter-than-stated": _send(_OK + b"Content-Length: 1000\r\n\r\n", b"a" * 999),
        "/longer-than-stated": _send(_OK + b"Content-Length: 4\r\n\r\n", b"abcdefgh"),
        "/two-lengths": _send(_OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"),
        "/negative-length": _send(_OK + b"Content-Length: -4\r\n\r\nabcd"),
        "/truncated-chunk": _send(_CHUNKED, b"64\r\n", b"a" * 10),
        "/no-last-chunk": _send(_CHUNKED, b"4\r\nabcd\r\n"),
        "/bad-chunk-size": _send(_CHUNKED, b"zz\r\nabcd\r\n0\r\n\r\n"),
        "/negative-chunk-size": _send(_CHUNKED, b"-4\r\nabcd\r\n0\r\n\r\n"),
        "/reset": _send(_OK + b"Content-Length: 100000\r\n\r\n", b"a" * 1000, resets=True),
        "/cut-off": _cut_off,
        "/reset-at-once": _send(resets=True),
        "/hangs-up": _send(b""),
        "/not-http": _send(b"220 mail.example ESMTP\r\n"),
        # Encoded
        "/gzip-bomb": _respond(200, _BOMB, Content_Encoding="gzip"),
        "/brotli-bomb": _respond(200, _BROTLI, Content_Encoding="br"),
        "/nested-encodings": _respond(200, _BOMB, Content_Encoding="identity, gzip, gzip"),
        "/gzip-framing": _send(_OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + b"4\r\nabcd\r\n0\r\n\r\n"),
        # Redirects
        "/to-private": _respond(302, Location="https://10.0.0.1/cover.jpg"),
        "/to-metadata": _respond(307, Location="https://169.254.169.254/latest/meta-data/"),
        "/to-file": _respond(302, Location="file:///etc/passwd"),
        "/to-gopher": _respond(302, Location="gopher://127.0.0.1:6379/_FLUSHALL"),
        "/to-ftp": _respond(302, Location="ftp://127.0.0.1/cover.jpg"),
        "/to-http": _respond(302, Location="http://127.0.0.1/cover.jpg"),
        "/to-other-port": _respond(302, Location="https://127.0.0.1:6379/"),
        "/to-user": _respond(302, Location="https://user:password@127.0.0.1/"),
        "/to-nowhere": _respond(302),
        "/to-split-path": _respond(302, Location="/emp\tty"),
        "/loop": _respond(302, Location="/loop"),
        "/grows": _redirect_to_longer_url,
        "/hops": _redirect_n_times,
        # Error statuses
        **{f"/status-{status}": _respond(status, b"sorry") for status in (201, 206, 300, 400, 401, 403, 404, 410, 429)},
        **{f"/status-{status}": _respond(status, b"sorry") for status in (418, 500, 502, 503, 504, 599)},
        "/later-seconds": _respond(429, Retry_After="120"),
        "/later-date": _respond(503, Retry_After=formatdate(time.time() + 120, usegmt=True)),
        "/later-absurd": _respond(503, Retry_After="999999999999999999999"),
        "/later-negative": _respond(429, Retry_After="-5"),
        "/forbidden-later": _respond(403, Retry_After="60"),
        # Unusual but allowed
        "/empty": _respond(200),
        "/no-content": _send(b"HTTP/1.1 204 No Content\r\n\r\n"),
        "/lying-type": _respond(200, b"<svg onload='alert(1)'/>", Content_Type="image/jpeg; charset=utf-8"),
        "/chunked": _send(_CHUNKED, b"4\r\nabcd\r\n", b"3;x=y\r\nefg\r\n", b"0\r\nX: a\r\n\r\n"),
        "/until-closed": _send(_OK + b"\r\n", b"abcdefg"),
        "/old-http": _send(b"HTTP/1.0 200 OK\r\n\r\n", b"abcdefg"),
        "/continued": _send(b"HTTP/1.1 100 Continue\r\n\r\n", _OK + b"Content-Length: 1\r\n\r\na"),
    }


@contextmanager
def bad_server(hosts: tuple[str, ...] = HOSTS) -> Iterator[SourceServer]:
    with source_server(hosts) as server:
        server.behaviours.update(behaviours())
        yield server
