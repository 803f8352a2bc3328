"""Load generator: each client is a process with one persistent connection."""

import itertools
import multiprocessing
import socket
import time
from collections.abc import Sequence

_PAUSE_SECONDS = 0.01  # a saturated server would show the time in its queue, not the time of a request
_LENGTH = b"content-length: "


def requests_per_second(port: int, path: str, headers: Sequence[str], *, seconds: float, clients: int = 4) -> float:
    """Return responses of status 200 per second over all clients. Raises RuntimeError for another status."""
    context = multiprocessing.get_context("fork")
    with context.Pool(clients) as pool:
        results = [pool.apply_async(_count, (port, path, tuple(headers), seconds)) for _ in range(clients)]
        finished = [result.get(seconds + 60) for result in results]
    return sum(count / took for count, took in finished)


def request_times_ms(
    port: int, paths: Sequence[str], headers: Sequence[str], *, seconds: float, clients: int = 2
) -> dict[str, list[float]]:
    """Return the durations of requests by path, over all clients; each client requests the paths in turn."""
    context = multiprocessing.get_context("fork")
    with context.Pool(clients) as pool:
        results = [pool.apply_async(_time, (port, tuple(paths), tuple(headers), seconds)) for _ in range(clients)]
        finished = [result.get(seconds + 60) for result in results]
    return {path: [took for result in finished for took in result[path]] for path in paths}


def _time(port: int, paths: tuple[str, ...], headers: tuple[str, ...], seconds: float) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {path: [] for path in paths}
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + seconds
        for path in itertools.cycle(paths):
            lines = "\r\n".join((f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")).encode()
            if (began := time.perf_counter()) >= end:
                return times
            connection.sendall(lines)
            _read_response(connection, path)
            times[path].append((time.perf_counter() - began) * 1000)
            time.sleep(_PAUSE_SECONDS)
    return times


def _count(port: int, path: str, headers: tuple[str, ...], seconds: float) -> tuple[int, float]:
    lines = "\r\n".join((f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = time.perf_counter()
        count = 0
        while time.perf_counter() - started < seconds:
            connection.sendall(lines)
            _read_response(connection, path)
            count += 1
        return count, time.perf_counter() - started


def _read_response(connection: socket.socket, path: str) -> None:
    content = b""
    while b"\r\n\r\n" not in content:
        content += connection.recv(65536)
    head, _, body = content.partition(b"\r\n\r\n")
    if b" 200 " not in head[:20]:
        raise RuntimeError(f"{path}: {head[:200]!r} {body[:300]!r}")
    start = head.lower().index(_LENGTH) + len(_LENGTH)
    missing = int(head[start:].split(b"\r\n", 1)[0]) - len(body)
    while missing > 0:
        missing -= len(connection.recv(min(missing, 262144)))
