"""Chunks of a PNG file (W3C PNG, third edition). Pure."""

import struct
import zlib
from collections.abc import Iterator

from common.images.errors import broken, truncated
from common.images.exif import read_orientation
from common.images.foreign import refuse_foreign
from common.images.parts import ImageLimits, ImageStructure

MAGIC = b"\x89PNG\r\n\x1a\n"
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_KEPT = _CRITICAL | {b"tRNS", b"sRGB", b"gAMA", b"cHRM"}
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf"})
_BIT_DEPTHS = frozenset({1, 2, 4, 8, 16})


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(type, where its data begins, how long it is) up to IEND. Raises ImageRefused."""
    position = len(MAGIC)
    while True:
        if position + 12 > len(content):
            raise truncated("its last chunk is missing")
        size, kind = struct.unpack_from("!I4s", content, position)
        if size > 0x7FFFFFFF or position + 12 + size > len(content):
            raise truncated("a chunk is longer than the file")
        yield kind, position + 8, size
        position += 12 + size
        if kind == b"IEND":
            return


def read(content: bytes, limits: ImageLimits) -> ImageStructure:
    width = height = 0
    frames, orientation, has_data, end = 1, 1, False, 0
    for count, (kind, start, size) in enumerate(_chunks(content), 1):
        if count > limits.max_chunks:
            raise broken(f"more than {limits.max_chunks} chunks")
        if count == 1 and (kind != b"IHDR" or size != 13):
            raise broken("it does not begin with its header")
        if kind in _CRITICAL and zlib.crc32(content[start - 4 : start + size]) != _stated_sum(content, start + size):
            raise broken(f"the checksum of {kind.decode('ascii', 'replace')} is wrong")
        if kind == b"IHDR":
            if count > 1:
                raise broken("more than one header")
            width, height, depth = struct.unpack_from("!IIB", content, start)
            if depth not in _BIT_DEPTHS:
                raise broken("an impossible bit depth")
        elif kind == b"IDAT":
            has_data = True
        elif kind == b"acTL" and size >= 4:
            frames = max(1, struct.unpack_from("!I", content, start)[0])
        elif kind == b"eXIf":
            orientation = read_orientation(content[start : start + size])
        if kind in _TEXTS:
            refuse_foreign(content[start : start + size], "in a text chunk")
        end = start + size + 4
    if not has_data:
        raise truncated("it has no picture data")
    return ImageStructure(
        format="PNG",
        content_type="image/png",
        width=width,
        height=height,
        frames=frames,
        orientation=orientation,
        trailing_bytes=len(content) - end,
    )


def _stated_sum(content: bytes, position: int) -> int:
    return struct.unpack_from("!I", content, position)[0]


def strip(content: bytes, max_icc_bytes: int) -> bytes:
    """Without texts, times, EXIF and whatever else shows nothing."""
    kept = [MAGIC]
    for kind, start, size in _chunks(content):
        if kind in _KEPT or (kind == b"iCCP" and size <= max_icc_bytes):
            kept.append(content[start - 8 : start + size + 4])
    return b"".join(kept)
