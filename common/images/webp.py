"""Chunks of a WebP file (RFC 9649). Pure."""

import struct
from collections.abc import Iterator

from common.images.errors import broken, truncated
from common.images.exif import HEADER, read_orientation
from common.images.foreign import refuse_foreign
from common.images.parts import ImageLimits, ImageStructure

_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"})
_HAS_EXIF_OR_XMP = 0x08 | 0x04
_HAS_ICC = 0x20


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """(type, data, where the next begins). Raises ImageRefused."""
    (size,) = struct.unpack_from("<I", content, 4)
    end = 8 + size
    if end > len(content):
        raise truncated("it is shorter than it says")
    position = 12
    while position + 8 <= end:
        kind, length = struct.unpack_from("<4sI", content, position)
        if position + 8 + length > end:
            raise truncated("a chunk is longer than the file")
        data = content[position + 8 : position + 8 + length]
        position += 8 + length + (length & 1)
        yield kind, data, position


def read(content: bytes, limits: ImageLimits) -> ImageStructure:
    if len(content) < 20:
        raise truncated("its header is not whole")
    canvas = picture = None
    frames, orientation = 0, 1
    for count, (kind, data, _) in enumerate(_chunks(content), 1):
        if count > limits.max_chunks:
            raise broken(f"more than {limits.max_chunks} chunks")
        if kind == b"VP8X" and len(data) >= 10:
            canvas = (1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little"))
        elif kind in (b"VP8 ", b"VP8L"):
            picture = _size_of(kind, data)
        elif kind == b"ANMF":
            frames += 1
        elif kind in (b"EXIF", b"XMP "):
            refuse_foreign(data, "in a text chunk")
            if kind == b"EXIF":
                orientation = read_orientation(data.removeprefix(HEADER))
    if not frames and picture is None:
        raise truncated("it has no picture data")
    if not frames and canvas not in (None, picture):
        raise broken("its two sizes disagree")
    width, height = canvas or picture or (0, 0)
    (stated,) = struct.unpack_from("<I", content, 4)
    return ImageStructure(
        format="WEBP",
        content_type="image/webp",
        width=width,
        height=height,
        frames=max(1, frames),
        orientation=orientation,
        trailing_bytes=max(0, len(content) - 8 - stated - (stated & 1)),
    )


def _size_of(kind: bytes, data: bytes) -> tuple[int, int]:
    if len(data) < 10:
        raise truncated("its picture data is not whole")
    if kind == b"VP8L":
        if data[0] != 0x2F:
            raise broken("an unknown kind of lossless data")
        bits = int.from_bytes(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if data[3:6] != b"\x9d\x01\x2a":
        raise broken("its picture does not begin with a whole frame")
    width, height = struct.unpack_from("<HH", data, 6)
    return width & 0x3FFF, height & 0x3FFF


def strip(content: bytes, max_icc_bytes: int) -> bytes:
    """Without EXIF and XMP, and without the flags that announce them."""
    kept: list[bytes] = []
    has_icc = any(kind == b"ICCP" and len(data) <= max_icc_bytes for kind, data, _ in _chunks(content))
    for kind, data, _ in _chunks(content):
        if kind not in _KEPT or (kind == b"ICCP" and not has_icc):
            continue
        if kind == b"VP8X":
            flags = data[0] & ~_HAS_EXIF_OR_XMP
            data = bytes([flags if has_icc else flags & ~_HAS_ICC]) + data[1:]
        kept.append(struct.pack("<4sI", kind, len(data)) + data + b"\0" * (len(data) & 1))
    body = b"".join(kept)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
