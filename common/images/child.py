"""The process that decodes: started clean, forks once for each picture, so that a bad one costs a fork and no more.

Speaks over its standard input and output. A message is two lengths, a JSON object and bytes. It ends when its input
does, which is when the process that started it is gone.
"""

import json
import os
import resource
import signal
import struct
import sys
from dataclasses import asdict
from typing import Any

from common.errors import Invalid
from common.images.parts import RenderWish
from common.images.rendering import render

LENGTHS = struct.Struct("!II")
_PIECE_BYTES = 1024 * 1024
_OPEN_FILES = 16


def serve() -> None:
    while (message := _read_message(0)) is not None:
        wish, content = message
        _write(1, _answer(wish, content))


def _answer(wish: dict[str, Any], content: bytes) -> bytes:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _work(wish, content, writer)
    os.close(writer)
    answer = bytearray()
    while piece := os.read(reader, _PIECE_BYTES):
        answer += piece
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 and answer:
        return bytes(answer)
    ran_out = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM, signal.SIGKILL)
    return frame({"failed": "image_too_costly" if ran_out else "image_crashed"}, b"")


def _work(wish: dict[str, Any], content: bytes, writer: int) -> None:
    """In the fork: never returns."""
    status = 1
    try:
        _limit(wish["limits"])
        try:
            answer = _render(wish["render"], content)
        except Invalid as refusal:
            answer = frame({"refused": refusal.code, "message": refusal.message}, b"")
        except MemoryError:
            answer = frame({"failed": "image_too_costly"}, b"")
        _write(writer, answer)
        status = 0
    finally:
        os._exit(status)


def _limit(limits: dict[str, int]) -> None:
    for name, most in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        try:
            resource.setrlimit(name, (most, most))
        except (ValueError, OSError):
            if sys.platform == "linux":  # elsewhere not every limit is known; time still is
                raise
    signal.alarm(limits["seconds"] + 1)  # whoever waits for us gave up before


def _render(wish: dict[str, Any], content: bytes) -> bytes:
    lists = {"sides_px", "background"}
    rendered = render(content, RenderWish(**{k: tuple(v) if k in lists else v for k, v in wish.items()}))
    pieces = [rendition.content for rendition in rendered.renditions] + [rendered.original or b""]
    facts = {k: v for k, v in vars(rendered).items() if k not in ("renditions", "original")}
    sizes = [
        {"side_px": r.side_px, "width": r.width, "height": r.height, "content_type": r.content_type}
        for r in rendered.renditions
    ]
    head = {
        "facts": facts, "renditions": sizes, "lengths": [len(piece) for piece in pieces],
        "has_original": rendered.original is not None,
    }  # fmt: skip
    return frame(head, b"".join(pieces))


def wish_message(wish: RenderWish, content: bytes, limits: dict[str, int]) -> bytes:
    return frame({"render": asdict(wish), "limits": limits}, content)


def frame(head: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(head).encode()
    return LENGTHS.pack(len(text), len(body)) + text + body


def _read_message(descriptor: int) -> tuple[dict[str, Any], bytes] | None:
    lengths = _read(descriptor, LENGTHS.size)
    if lengths is None:
        return None
    head_bytes, body_bytes = LENGTHS.unpack(lengths)
    whole = _read(descriptor, head_bytes + body_bytes)
    return None if whole is None else (json.loads(whole[:head_bytes]), whole[head_bytes:])


def _read(descriptor: int, count: int) -> bytes | None:
    received = bytearray()
    while len(received) < count:
        piece = os.read(descriptor, min(_PIECE_BYTES, count - len(received)))
        if not piece:
            return None
        received += piece
    return bytes(received)


def _write(descriptor: int, message: bytes) -> None:
    view = memoryview(message)
    while view:
        view = view[os.write(descriptor, view) :]
