"""What our process and its image child say to each other: a JSON header, then bytes. Never pickle: one end is suspect.

length of the header, 4 bytes | header: JSON with "sizes" of the parts | parts
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, BinaryIO

from imaging.errors import ImageRejected
from imaging.renditions import RenderedImage, RenderSpec, Rendition
from imaging.structure import ImageLimits

MAX_ANSWER_BYTES = 128 * 1024 * 1024
MAX_HEADER_BYTES = 64 * 1024
_LENGTH = struct.Struct(">I")


class ProtocolError(Exception):
    """What came is no message."""


def pack(header: dict[str, Any], parts: Sequence[bytes] = ()) -> list[bytes]:
    """Pieces to be written one after the other: joined, a large picture would be copied once more."""
    text = json.dumps(header | {"sizes": [len(part) for part in parts]}).encode()
    return [_LENGTH.pack(len(text)) + text, *parts]


def read_message(source: BinaryIO) -> tuple[dict[str, Any], list[bytes]] | None:
    """The next message, or None where there is none or its end is missing. For the child, which may wait."""
    start = source.read(_LENGTH.size)
    if len(start) < _LENGTH.size:
        return None
    text = source.read(_LENGTH.unpack(start)[0])
    header = _read_header(start + text)
    parts = [source.read(size) for size in header["sizes"]]
    return (header, parts) if [len(part) for part in parts] == header["sizes"] else None


def missing_bytes(received: bytes | bytearray) -> int:
    """How many more must come, at least, before `unpack`. Raises ProtocolError."""
    if len(received) < _LENGTH.size:
        return _LENGTH.size - len(received)
    header_end = _LENGTH.size + _LENGTH.unpack_from(received)[0]
    if header_end > MAX_HEADER_BYTES:
        raise ProtocolError("header too long")
    if len(received) < header_end:
        return header_end - len(received)
    end = header_end + sum(_read_header(received)["sizes"])
    if not len(received) <= end <= MAX_ANSWER_BYTES:
        raise ProtocolError("wrong length")
    return end - len(received)


def unpack(message: bytes | bytearray) -> tuple[dict[str, Any], list[bytes]]:
    header = _read_header(message)
    at = _LENGTH.size + _LENGTH.unpack_from(message)[0]
    parts = []
    for size in header["sizes"]:
        parts.append(bytes(message[at : at + size]))
        at += size
    return header, parts


def _read_header(message: bytes | bytearray) -> dict[str, Any]:
    (length,) = _LENGTH.unpack_from(message)
    try:
        header = json.loads(message[_LENGTH.size : _LENGTH.size + length])
    except ValueError as error:
        raise ProtocolError("header is no JSON") from error
    sizes = header.get("sizes") if isinstance(header, dict) else None
    if not isinstance(sizes, list) or not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise ProtocolError("header names no sizes")
    return header


def pack_request(
    content: bytes, spec: RenderSpec, *, max_seconds: float, max_memory_bytes: int, max_cpu_seconds: int
) -> list[bytes]:
    bounds = {"max_seconds": max_seconds, "max_memory_bytes": max_memory_bytes, "max_cpu_seconds": max_cpu_seconds}
    return pack({"wish": asdict(spec), "bounds": bounds}, [content])


def unpack_request(header: dict[str, Any]) -> RenderSpec:
    fields = header["wish"]
    return RenderSpec(**fields | {"sides_px": tuple(fields["sides_px"]), "limits": ImageLimits(**fields["limits"])})


def pack_response(image: RenderedImage) -> list[bytes]:
    facts = {name: value for name, value in vars(image).items() if name not in ("renditions", "original")}
    drawn = [
        {name: value for name, value in vars(rendition).items() if name != "content"} for rendition in image.renditions
    ]
    parts = [rendition.content for rendition in image.renditions]
    return pack(
        {"facts": facts, "renditions": drawn}, [*parts, image.original] if image.original is not None else parts
    )


def pack_error(error: ImageRejected) -> list[bytes]:
    return pack({"refused": {"message": error.message, "code": error.code}})


def unpack_response(message: bytes | bytearray) -> RenderedImage:
    """Raises ImageRejected where the child did, ProtocolError for what no sound child says."""
    header, parts = unpack(message)
    try:
        if refused := header.get("refused"):
            raise ImageRejected(str(refused["message"]), code=str(refused["code"]))
        drawn = header["renditions"]
        renditions = tuple(Rendition(content=part, **one) for one, part in zip(drawn, parts, strict=False))
        original = parts[len(drawn)] if len(parts) > len(drawn) else None
        return RenderedImage(renditions=renditions, original=original, **header["facts"])
    except (KeyError, TypeError) as error:
        raise ProtocolError("an answer lacks something") from error
