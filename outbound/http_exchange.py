"""One HTTP request and its response over an open socket, with limits of time, throughput and size in every phase.

`http.client` parses the response from `BoundedSocketReader`, which limits each read of the socket to the remaining time
of its phase. The timeouts of client libraries apply to single reads: a server that sends one byte per second never
exceeds them.
"""

import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from outbound.deadlines import Deadline
from outbound.errors import RemoteUnavailable, ResponseRejected

_BUFFER_BYTES = 16 * 1024
# http.client allows 100 lines of 64 KiB. Real servers need less than 1 % of that.
_MAX_HEADER_BYTES = 64 * 1024
_PIECE_BYTES = 64 * 1024


@dataclass(frozen=True)
class MinThroughput:
    """A body that is slower than this over a whole window is aborted."""

    min_bytes_per_second: int
    window_seconds: float


class BoundedSocketReader(io.RawIOBase):
    """A file object for a socket with a deadline, a minimum throughput and a maximum number of bytes."""

    def __init__(self, connected: socket.socket, host: str, *, deadline: Deadline, max_bytes: int) -> None:
        self._socket = connected
        self._host = host
        self._deadline = deadline
        self._bytes_left = max_bytes
        self._pace: MinThroughput | None = None
        self._window = deadline
        self._window_bytes = 0

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a buffered reader, as http.client requires."""
        return io.BufferedReader(self, _BUFFER_BYTES)

    def begin_body(self, *, deadline: Deadline, pace: MinThroughput, max_bytes: int) -> None:
        self._deadline, self._pace, self._bytes_left = deadline, pace, max_bytes
        self._begin_window(pace)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._bytes_left <= 0:
            raise RemoteUnavailable(
                f"{self._host} sends bytes after its response.", "connection_broken", host=self._host
            )
        while True:
            self._check_pace()
            self._socket.settimeout(min(self._deadline.seconds_left(), self._window_seconds_left()))
            try:
                count = self._socket.recv_into(buffer)
            except TimeoutError:  # of the phase or the window; the next iteration checks both
                continue
            self._window_bytes += count
            self._bytes_left -= count
            return count

    def _begin_window(self, pace: MinThroughput) -> None:
        self._window = Deadline.after(pace.window_seconds)
        self._window_bytes = 0

    def _window_seconds_left(self) -> float:
        return max(self._window.at - time.monotonic(), 0.001)

    def _check_pace(self) -> None:
        if self._pace is None or self._window.at > time.monotonic():
            return
        if self._window_bytes < self._pace.min_bytes_per_second * self._pace.window_seconds:
            raise RemoteUnavailable(f"{self._host} sends too slowly.", "too_slow", host=self._host)
        self._begin_window(self._pace)


@dataclass(frozen=True)
class RawResponse:
    """Status and headers of a response. `read_body` reads the body once."""

    response: http.client.HTTPResponse
    wire: BoundedSocketReader
    host: str

    @property
    def status(self) -> int:
        return self.response.status

    def header(self, name: str) -> str:
        return self.response.headers.get(name, "").strip()

    def read_body(self, *, deadline: Deadline, pace: MinThroughput, max_bytes: int) -> bytes:
        """Return the complete body. Raises ResponseRejected, RemoteUnavailable."""
        self._reject_encoded()
        stated = self._stated_length()
        if stated is not None and stated > max_bytes:
            raise self._too_large(max_bytes)
        # Twice the size allows for chunk headers, but not for endless trailers.
        self.wire.begin_body(deadline=deadline, pace=pace, max_bytes=2 * max_bytes + _MAX_HEADER_BYTES)
        content = bytearray()
        with _translated_errors(self.host):
            while stated is None or len(content) < stated:
                wanted = (max_bytes + 1 if stated is None else stated) - len(content)
                piece = self.response.read1(min(wanted, _PIECE_BYTES))
                if not piece:
                    break
                content += piece
                if len(content) > max_bytes:
                    raise self._too_large(max_bytes)
        if stated is not None and len(content) < stated:
            raise RemoteUnavailable(f"{self.host} broke off.", "connection_broken", host=self.host)
        return bytes(content)

    def _too_large(self, max_bytes: int) -> ResponseRejected:
        return ResponseRejected(
            f"The response of {self.host} has more than {max_bytes} bytes.", "too_large", host=self.host
        )

    def _reject_encoded(self) -> None:
        """Reject encoded bodies: none was requested, and a small one may decompress to a large one."""
        names = ",".join(self.response.headers.get_all("Content-Encoding", []))
        framing = ",".join(self.response.headers.get_all("Transfer-Encoding", [])).strip().lower()
        if {name.strip().lower() for name in names.split(",")} - {"", "identity"} or framing not in ("", "chunked"):
            raise ResponseRejected(f"The response of {self.host} is compressed.", "encoded_body", host=self.host)

    def _stated_length(self) -> int | None:
        if self.status in (204, 304):
            return 0
        stated = {value.strip() for value in self.response.headers.get_all("Content-Length", [])}
        if not stated or self.response.chunked:
            return None
        value = stated.pop()
        if stated or not (value.isascii() and value.isdigit() and len(value) < 20):
            raise RemoteUnavailable(
                f"{self.host} does not state the length of its response.", "connection_broken", host=self.host
            )
        return int(value)


@contextmanager
def exchange(connected: socket.socket, host: str, request: bytes, deadline: Deadline) -> Iterator[RawResponse]:
    """Send the request and yield the response after its headers. Raises RemoteUnavailable."""
    wire = BoundedSocketReader(connected, host, deadline=deadline, max_bytes=_MAX_HEADER_BYTES)
    with closing(http.client.HTTPResponse(wire)) as response:  # type: ignore[arg-type]
        with _translated_errors(host):
            unsent = memoryview(request)
            while unsent:
                connected.settimeout(deadline.seconds_left())
                unsent = unsent[connected.send(unsent) :]
            response.begin()
        yield RawResponse(response, wire, host)


@contextmanager
def _translated_errors(host: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise RemoteUnavailable(f"{host} did not respond in time.", "timeout", host=host) from error
    except (OSError, http.client.HTTPException) as error:
        raise RemoteUnavailable(f"{host} broke off.", "connection_broken", host=host) from error
