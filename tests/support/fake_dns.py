"""Name lookups with prepared answers. The resolver is the system's: all of it that a test can replace is the call."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch


@contextmanager
def names_answered(**hosts: Sequence[str]) -> Iterator[list[str]]:
    """`names_answered(**{"art.example": ["127.0.0.1"]})`; any other name is unknown. Gives the names asked for."""
    with answers_in_turn({host: [addresses] for host, addresses in hosts.items()}) as asked:
        yield asked


@contextmanager
def answers_in_turn(answers: Mapping[str, Sequence[Sequence[str]]]) -> Iterator[list[str]]:
    """The first lookup of a host gets its first answer, the next the next, and then again from the start."""
    asked: list[str] = []

    def answer(host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        if host not in answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        turn = answers[host][(asked.count(host) - 1) % len(answers[host])]
        return [_entry(address, port) for address in turn]

    with patch("socket.getaddrinfo", answer):
        yield asked


def _entry(address: str, port: int) -> tuple[Any, ...]:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)
