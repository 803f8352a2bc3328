"""Prepared results of name lookups. A test cannot configure the resolver of the system, so it patches the call."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch


@contextmanager
def resolve_names(**hosts: Sequence[str]) -> Iterator[list[str]]:
    """Resolve only the given names, e.g. `**{"art.example": ["127.0.0.1"]}`, and yield the list of looked-up names."""
    with answers_in_turn({host: [addresses] for host, addresses in hosts.items()}) as looked_up:
        yield looked_up


@contextmanager
def answers_in_turn(answers: Mapping[str, Sequence[Sequence[str]]]) -> Iterator[list[str]]:
    """Each lookup of a host gets the next of its answers, and after the last the first again."""
    looked_up: list[str] = []

    def answer(host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        looked_up.append(host)
        if host not in answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        turn = answers[host][(looked_up.count(host) - 1) % len(answers[host])]
        return [_entry(address, port) for address in turn]

    with patch("socket.getaddrinfo", answer):
        yield looked_up


def _entry(address: str, port: int) -> tuple[Any, ...]:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)
