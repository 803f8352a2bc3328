"""Load generator: each client is a process with one persistent connection, on another core than the servers."""

import itertools
import json
import multiprocessing
import os
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_PAUSE_SECONDS = 0.01  # a saturated server would show the time in its queue, not the time of a request
_LENGTH = b"content-length: "
_CHUNK_BYTES = 262_144
_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []


@dataclass(frozen=True)
class HttpRequest:
    path: str
    method: str = "GET"
    body: bytes = b""
    content_type: str = "application/json"

    def encode(self, headers: Sequence[str]) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1", *headers]
        if self.body:
            lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body)}"]
        return "\r\n".join((*lines, "", "")).encode() + self.body


def json_request(method: str, path: str, document: object) -> HttpRequest:
    return HttpRequest(path, method, json.dumps(document).encode())


def pin_servers() -> None:
    """Keep this process and what it starts from now on on the first core, if there is another one for the load."""
    _pin(_CORES[:1])


def pin_client() -> None:
    """Keep this process off the core of the servers, if there is another one."""
    _pin(_CORES[1:])


def _pin(cores: list[int]) -> None:
    if len(_CORES) > 1:
        os.sched_setaffinity(0, cores)


def requests_per_second(
    port: int, requests: Sequence[HttpRequest], headers: Sequence[str], *, seconds: float, clients: int = 4
) -> float:
    """Return successful responses per second over all clients, which send the requests in turn.

    Raises RuntimeError for a status other than 200 and 201.
    """
    context = multiprocessing.get_context("fork")
    messages = [request.encode(headers) for request in requests]
    with context.Pool(clients, pin_client) as pool:
        results = [
            pool.apply_async(_count, (port, messages[client:] + messages[:client], seconds))
            for client in range(clients)
        ]
        finished = [result.get(seconds + 120) for result in results]
    return sum(count / took for count, took in finished)


def request_times_ms(
    port: int, paths: Sequence[str], headers: Sequence[str], *, seconds: float, clients: int = 2
) -> dict[str, list[float]]:
    """Return the durations of requests by path, over all clients; each client requests the paths in turn."""
    context = multiprocessing.get_context("fork")
    with context.Pool(clients, pin_client) as pool:
        results = [pool.apply_async(_time, (port, tuple(paths), tuple(headers), seconds)) for _ in range(clients)]
        finished = [result.get(seconds + 60) for result in results]
    return {path: [took for result in finished for took in result[path]] for path in paths}


@contextmanager
def connect(port: int, headers: Sequence[str]) -> Iterator[Callable[[HttpRequest], float]]:
    """Yield a function that sends a request over one connection and returns the duration in milliseconds."""
    with _connect(port) as connection:

        def send(request: HttpRequest) -> float:
            message = request.encode(headers)
            started = time.perf_counter()
            _exchange(connection, message)
            return (time.perf_counter() - started) * 1000

        yield send


def fetch_json(port: int, request: HttpRequest, headers: Sequence[str]) -> Any:
    url = f"http://127.0.0.1:{port}{request.path}"
    fields = dict(header.split(": ", 1) for header in headers) | {"Content-Type": request.content_type}
    message = urllib.request.Request(url, request.body or None, fields, method=request.method)
    with urllib.request.urlopen(message, timeout=120) as response:
        return json.load(response)


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=120)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _time(port: int, paths: tuple[str, ...], headers: tuple[str, ...], seconds: float) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {path: [] for path in paths}
    with connect(port, headers) as send:
        end = time.perf_counter() + seconds
        for path in itertools.cycle(paths):
            if time.perf_counter() >= end:
                return times
            times[path].append(send(HttpRequest(path)))
            time.sleep(_PAUSE_SECONDS)
    return times


def _count(port: int, messages: list[bytes], seconds: float) -> tuple[int, float]:
    with _connect(port) as connection:
        started = time.perf_counter()
        for count, message in enumerate(itertools.cycle(messages)):
            if (took := time.perf_counter() - started) >= seconds and count:
                return count, took
            _exchange(connection, message)
    raise AssertionError("no request was given")


def _exchange(connection: socket.socket, message: bytes) -> None:
    connection.sendall(message)
    content = b""
    while b"\r\n\r\n" not in content:
        content += _receive(connection)
    head, _, body = content.partition(b"\r\n\r\n")
    if b" 200 " not in head[:20] and b" 201 " not in head[:20]:
        raise RuntimeError(f"{message[:200]!r}: {head[:200]!r} {body[:300]!r}")
    start = head.lower().find(_LENGTH)
    if start < 0:  # chunked: Django's CommonMiddleware would set the length
        while not body.endswith(b"0\r\n\r\n"):
            body = body[-4:] + _receive(connection)
        return
    missing = int(head[start + len(_LENGTH) :].split(b"\r\n", 1)[0]) - len(body)
    while missing > 0:
        missing -= len(_receive(connection))


def _receive(connection: socket.socket) -> bytes:
    received = connection.recv(_CHUNK_BYTES)
    if not received:
        raise RuntimeError("the server closed the connection")
    return received
