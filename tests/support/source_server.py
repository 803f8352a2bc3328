"""A web server on loopback whose responses a test defines byte by byte. It records its requests.

It serves HTTPS with its own authority, which only its `settings` trust, and plain HTTP on a second port.
`tests/support/bad_server.py` is a server with faulty responses.
"""

import contextlib
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.certificates import make_certificates

HOSTS = ("127.0.0.1", "localhost", "art.example", "*.art.example")


@dataclass(frozen=True)
class SeenRequest:
    """A received request. `headers` are in lower case; `lines` is the unchanged head."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    lines: tuple[str, ...]
    server_name: str | None  # of the TLS handshake; None on plain HTTP


class Conversation:
    """One connection, as passed to a behaviour."""

    def __init__(self, connected: socket.socket, server: "SourceServer", request: SeenRequest) -> None:
        self._socket = connected
        self.server = server
        self.request = request

    def send(self, content: bytes) -> None:
        self._socket.sendall(content)

    def head(self, status: int = 200, /, **headers: str | int) -> None:
        self.send_head(status, {name.replace("_", "-"): str(value) for name, value in headers.items()})

    def send_head(self, status: int, headers: Mapping[str, str]) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.send(f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode())

    def drip(self, content: bytes, every_seconds: float) -> None:
        """Send the content byte by byte."""
        for byte in content:
            self.send(bytes([byte]))
            self.pause(every_seconds)

    def pause(self, seconds: float) -> None:
        """Wait, or raise ConnectionAbortedError if the server is closed."""
        if self.server.is_closing.wait(seconds):
            raise ConnectionAbortedError

    def cut(self) -> None:
        """Close the connection without TLS close_notify."""
        raise ConnectionAbortedError

    def reset(self) -> None:
        """Close the connection with RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.close(self._socket)


Behaviour = Callable[[Conversation], None]


@dataclass
class SourceServer:
    port: int
    plain_port: int
    authority: Path
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    requests: list[SeenRequest] = field(default_factory=list)
    connections: list[float] = field(default_factory=list)  # times, also of connections without a request
    is_closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, *, host: str = "127.0.0.1", scheme: str = "https") -> str:
        return f"{scheme}://{host}:{self.port if scheme == 'https' else self.plain_port}{path}"

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that allow the registry to connect to this server."""
        return {
            "OUTBOUND_ALLOW_LOOPBACK": True,
            "OUTBOUND_ALLOWED_PORTS": [443, 80, self.port, self.plain_port],
            "OUTBOUND_CA_BUNDLE": str(self.authority),
        }

    def serve(
        self,
        path: str,
        content: bytes,
        *,
        content_type: str = "image/jpeg",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Serve these bytes from now on and return their URL."""
        lines = {"Content-Type": content_type, "Content-Length": str(len(content))} | dict(headers or {})

        def behave(conversation: Conversation) -> None:
            conversation.send_head(status, lines)
            conversation.send(content)

        return self.answer_by(path, behave)

    def redirect(self, path: str, location: str, status: int = 302) -> str:
        return self.serve(path, b"", status=status, headers={"Location": location})

    def answer_by(self, path: str, behave: Behaviour) -> str:
        self.behaviours[path] = behave
        return self.url(path)

    def request_count(self, path: str) -> int:
        """Return the number of requests for `path`."""
        return sum(request.path.partition("?")[0] == path for request in self.requests)


def _read_request(connected: socket.socket) -> SeenRequest | None:
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connected.recv(65536)
        if not piece:
            return None
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connected.recv(65536)
    method, path, _ = first.split(" ")
    return SeenRequest(method, path, headers, body, (first, *lines), getattr(connected, "name_asked_for", None))


def _not_found(conversation: Conversation) -> None:
    conversation.head(404, Content_Length=0)


def _converse(server: SourceServer, accepted: socket.socket, tls: ssl.SSLContext | None) -> None:
    # Clients may close the connection at any time; this is no error of the server.
    with contextlib.suppress(OSError, ValueError):
        connected = tls.wrap_socket(accepted, server_side=True) if tls else accepted
        with connected:
            request = _read_request(connected)
            if request is None:
                return
            server.requests.append(request)
            conversation = Conversation(connected, server, request)
            server.behaviours.get(request.path.partition("?")[0], _not_found)(conversation)
            if isinstance(connected, ssl.SSLSocket):
                connected.settimeout(1)
                connected.unwrap()  # close_notify, which distinguishes an end from a cut


def _listen(server: SourceServer, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError):
        while not server.is_closing.is_set():
            accepted, _ = listener.accept()
            server.connections.append(time.monotonic())
            threading.Thread(target=_converse, args=(server, accepted, tls), daemon=True).start()


@contextlib.contextmanager
def source_server(hosts: tuple[str, ...] = HOSTS) -> Iterator[SourceServer]:
    """Start a server whose certificate is valid for `hosts`; resolve them with `tests.support.fake_dns`."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        certificates = make_certificates(folder, hosts)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificates.chain)
        tls.sni_callback = lambda connected, name, _: setattr(connected, "name_asked_for", name)
        secure = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        plain = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        server = SourceServer(secure.getsockname()[1], plain.getsockname()[1], certificates.authority)
        stack.callback(server.is_closing.set)
        for listener, context in ((secure, tls), (plain, None)):
            # close() alone does not wake a thread in accept().
            stack.callback(_stop, listener)
            threading.Thread(target=_listen, args=(server, listener, context), daemon=True).start()
        yield server


def _stop(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
