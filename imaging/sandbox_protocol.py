"""Messages between a process and its sandbox: a JSON header and bytes. Not pickle, because the sandbox is untrusted.

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

MAX_RESPONSE_BYTES = 128 * 1024 * 1024
MAX_HEADER_BYTES = 64 * 1024
_LENGTH = struct.Struct(">I")


class ProtocolError(Exception):
    """The bytes are no valid message."""


def pack(header: dict[str, Any], parts: Sequence[bytes] = ()) -> list[bytes]:
    """Return the pieces of a message. They are not joined, which would copy a large image."""
    text = json.dumps(header | {"sizes": [len(part) for part in parts]}).encode()
    return [_LENGTH.pack(len(text)) + text, *parts]


def read_message(source: BinaryIO) -> tuple[dict[str, Any], list[bytes]] | None:
    """Block until the next message. Return None at the end of the input or if the message is incomplete."""
    start = source.read(_LENGTH.size)
    if len(start) < _LENGTH.size:
        return None
    text = source.read(_LENGTH.unpack(start)[0])
    header = _read_header(start + text)
    parts = [source.read(size) for size in header["sizes"]]
    return (header, parts) if [len(part) for part in parts] == header["sizes"] else None


def missing_bytes(received: bytes | bytearray) -> int:
    """Return the minimum number of bytes that `unpack` still needs. Raises ProtocolError."""
    if len(received) < _LENGTH.size:
        return _LENGTH.size - len(received)
    header_end = _LENGTH.size + _LENGTH.unpack_from(received)[0]
    if header_end > MAX_HEADER_BYTES:
        raise ProtocolError("header too long")
    if len(received) < header_end:
        return header_end - len(received)
    end = header_end + sum(_read_header(received)["sizes"])
    if not len(received) <= end <= MAX_RESPONSE_BYTES:
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
    limits = {"max_seconds": max_seconds, "max_memory_bytes": max_memory_bytes, "max_cpu_seconds": max_cpu_seconds}
    return pack({"spec": asdict(spec), "limits": limits}, [content])


def unpack_request(header: dict[str, Any]) -> RenderSpec:
    fields = header["spec"]
    return RenderSpec(**fields | {"sides_px": tuple(fields["sides_px"]), "limits": ImageLimits(**fields["limits"])})


def pack_response(image: RenderedImage) -> list[bytes]:
    attributes = {name: value for name, value in vars(image).items() if name not in ("renditions", "original")}
    renditions = [
        {name: value for name, value in vars(rendition).items() if name != "content"} for rendition in image.renditions
    ]
    parts = [rendition.content for rendition in image.renditions]
    return pack(
        {"attributes": attributes, "renditions": renditions},
        [*parts, image.original] if image.original is not None else parts,
    )


def pack_error(error: ImageRejected) -> list[bytes]:
    return pack({"error": {"message": error.message, "code": error.code}})


def unpack_response(message: bytes | bytearray) -> RenderedImage:
    """Return the result. Raises ImageRejected if the renderer did, and ProtocolError for an invalid message."""
    header, parts = unpack(message)
    try:
        if error := header.get("error"):
            raise ImageRejected(str(error["message"]), code=str(error["code"]))
        headers = header["renditions"]
        renditions = tuple(Rendition(content=part, **one) for one, part in zip(headers, parts, strict=False))
        original = parts[len(headers)] if len(parts) > len(headers) else None
        return RenderedImage(renditions=renditions, original=original, **header["attributes"])
    except (KeyError, TypeError) as invalid:
        raise ProtocolError("keys are missing") from invalid
