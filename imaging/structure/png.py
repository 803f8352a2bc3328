"""The chunks of a PNG (W3C PNG, third edition)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from imaging.errors import ImageRejected
from imaging.structure.exif import read_orientation
from imaging.structure.limits import (
    CONTENT_TYPES,
    ImageLimits,
    ImageStructure,
    broken,
    check_count,
    check_size,
    truncated,
)
from imaging.structure.polyglots import reject_embedded_files

MAGIC = b"\x89PNG\r\n\x1a\n"
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_CHANGES_COLORS = (b"tRNS", b"sRGB", b"gAMA", b"cHRM")
_FRAME_DATA = (b"IDAT", b"fdAT")
_DEPTHS_OF_COLOR_TYPE = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


@dataclass(frozen=True)
class _Chunk:
    kind: bytes
    start: int  # of the length
    body: int
    end: int  # after the checksum

    def content(self, whole: bytes) -> bytes:
        return whole[self.body : self.end - 4]

    def has_right_checksum(self, whole: bytes) -> bool:
        (written,) = struct.unpack_from(">I", whole, self.end - 4)
        return zlib.crc32(memoryview(whole)[self.start + 4 : self.end - 4]) == written


def inspect_png(content: bytes, *, limits: ImageLimits) -> ImageStructure:
    chunks: list[_Chunk] = []
    width = height = bit_depth = 0
    frames, orientation, has_icc = 1, 1, None
    for chunk in _walk(content):
        chunks.append(chunk)
        check_count(len(chunks), limits=limits)
        if (chunk.kind == b"IHDR") != (len(chunks) == 1):
            raise broken("its header is missing or comes twice")
        if chunk.kind == b"IHDR":
            width, height, bit_depth = _read_header(chunk.content(content))
            check_size(width, height, frames=1, limits=limits)
        elif chunk.kind == b"acTL":
            frames = max(frames, *struct.unpack(">I", chunk.content(content)[:4].rjust(4, b"\x00")))
        elif chunk.kind == b"eXIf":
            orientation = read_orientation(chunk.content(content))
        elif chunk.kind == b"iCCP":
            if has_icc is not None:
                raise broken("it has two colour profiles")
            has_icc = _is_fit_icc(chunk.content(content), limits=limits)
        if chunk.kind[0] & 0x20 == 0 and chunk.kind not in _CRITICAL:
            raise broken("it has an unknown critical chunk")
        if chunk.kind in (*_CRITICAL, b"tRNS") and not chunk.has_right_checksum(content):
            raise broken("a checksum is wrong")
    frames = max(frames, sum(chunk.kind == b"fcTL" for chunk in chunks))
    check_size(width, height, frames=frames, limits=limits)
    if not any(chunk.kind == b"IDAT" for chunk in chunks):
        raise broken("it contains no image")
    for chunk in chunks:
        if chunk.kind not in _CRITICAL and chunk.kind not in _FRAME_DATA:
            _reject_foreign_chunk(chunk.content(content))
    end = chunks[-1].end
    if end < len(content):
        reject_embedded_files(content[end:])
    return ImageStructure(
        format="PNG",
        content_type=CONTENT_TYPES["PNG"],
        width=width,
        height=height,
        frames=frames,
        bit_depth=bit_depth,
        is_progressive=content[chunks[0].body + 12] == 1,
        is_cmyk=False,
        orientation=orientation,
        jpeg_quality=None,
        has_icc=has_icc is True,
        trailing_bytes=len(content) - end,
    )


def strip_png(content: bytes, *, limits: ImageLimits) -> bytes:
    """Return the same compressed image (the still image of an animation) with only its color data."""
    chunks = list(_walk(content))
    kept = [chunk for chunk in chunks if _belongs_to_image(chunk, content, limits)]
    if len(kept) == len(chunks) and kept[-1].end == len(content):
        return content
    return MAGIC + b"".join(content[chunk.start : chunk.end] for chunk in kept)


def _belongs_to_image(chunk: _Chunk, content: bytes, limits: ImageLimits) -> bool:
    if chunk.kind in _CRITICAL:
        return True
    if chunk.kind in _CHANGES_COLORS or chunk.kind == b"iCCP":
        is_fit = chunk.kind != b"iCCP" or _is_fit_icc(chunk.content(content), limits=limits)
        return is_fit and chunk.has_right_checksum(content)
    return False


def _walk(content: bytes) -> Iterator[_Chunk]:
    position = len(MAGIC)
    while True:
        if position + 12 > len(content):
            raise truncated()
        length, kind = struct.unpack_from(">I4s", content, position)
        if not kind.isalpha():
            raise broken("a part of it has no proper name")
        end = position + 12 + length
        if end > len(content):
            raise truncated()
        yield _Chunk(kind, position, position + 8, end)
        if kind == b"IEND":
            return
        position = end


def _read_header(body: bytes) -> tuple[int, int, int]:
    if len(body) != 13:
        raise broken("its header has the wrong length")
    width, height, bit_depth, color_type, compression, filtering, interlacing = struct.unpack(">IIBBBBB", body)
    if bit_depth not in _DEPTHS_OF_COLOR_TYPE.get(color_type, ()) or compression or filtering or interlacing > 1:
        raise ImageRejected("This kind of PNG does not exist.", code="format_not_accepted")
    return width, height, bit_depth


def _is_fit_icc(body: bytes, *, limits: ImageLimits) -> bool:
    """True for a valid profile (name, zero, method 0, compressed data). Decompresses only up to the limit."""
    name, _, rest = body.partition(b"\x00")
    if not 1 <= len(name) <= 79 or rest[:1] != b"\x00" or len(rest) > limits.max_icc_bytes:
        return False
    inflating = zlib.decompressobj()
    try:
        profile = inflating.decompress(rest[1:], limits.max_icc_bytes + 1)
    except zlib.error:
        return False
    return inflating.eof and 0 < len(profile) <= limits.max_icc_bytes


def _reject_foreign_chunk(body: bytes) -> None:
    """Reject embedded files. The text of a text chunk starts after a key and a zero."""
    reject_embedded_files(body)
    _, zero, text = body.partition(b"\x00")
    if zero and text:
        reject_embedded_files(text)
