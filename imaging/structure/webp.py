"""The RIFF chunks of a WebP (RFC 9649)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

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

_ICC_FLAG, _EXIF_FLAG, _XMP_FLAG = 0x20, 0x08, 0x04
_LOSSY, _LOSSLESS = b"VP8 ", b"VP8L"
_CODED = (_LOSSY, _LOSSLESS, b"ALPH", b"ANIM", b"ANMF")
_EXIF_HEAD = b"Exif\x00\x00"  # not in the specification, but written by some programs


@dataclass(frozen=True)
class _Chunk:
    kind: bytes
    start: int
    body: int
    size: int  # of the body, without the byte that makes it even
    end: int

    def content(self, whole: bytes) -> bytes:
        return whole[self.body : self.body + self.size]


def is_webp(content: bytes) -> bool:
    return content.startswith(b"RIFF") and content[8:12] == b"WEBP"


def inspect_webp(content: bytes, *, limits: ImageLimits) -> ImageStructure:
    chunks: list[_Chunk] = []
    orientation = 1
    sizes: list[tuple[int, int]] = []
    for chunk in _walk(content):
        chunks.append(chunk)
        check_count(len(chunks), limits=limits)
        if chunk.kind in (b"VP8X", _LOSSY, _LOSSLESS, b"ANMF"):
            sizes.append(_read_size(chunk, content[chunk.body : chunk.body + 16]))
            check_size(*sizes[-1], frames=1, limits=limits)
        elif chunk.kind == b"EXIF":
            orientation = read_orientation(chunk.content(content).removeprefix(_EXIF_HEAD))
    frames = sum(chunk.kind == b"ANMF" for chunk in chunks)
    stills = [chunk for chunk in chunks if chunk.kind in (_LOSSY, _LOSSLESS)]
    if chunks[0].kind not in (b"VP8X", _LOSSY, _LOSSLESS) or len(stills) != (0 if frames else 1):
        raise broken("it contains no image, or more than one")
    width, height = sizes[0]
    if any(one != sizes[0] for one in sizes[1:]) and not frames:
        raise broken("it states two sizes")
    if any(across > width or down > height for across, down in sizes):
        raise broken("a frame is larger than the image")
    check_size(width, height, frames=max(1, frames), limits=limits)
    for chunk in chunks:
        if chunk.kind not in _CODED:
            reject_embedded_files(chunk.content(content))
    end = _riff_end(content)
    if end < len(content):
        reject_embedded_files(content[end:])
    return ImageStructure(
        format="WEBP",
        content_type=CONTENT_TYPES["WEBP"],
        width=width,
        height=height,
        frames=max(1, frames),
        bit_depth=8,
        is_progressive=False,
        is_cmyk=False,
        orientation=orientation,
        jpeg_quality=None,
        has_icc=any(chunk.kind == b"ICCP" and 0 < chunk.size <= limits.max_icc_bytes for chunk in chunks),
        trailing_bytes=len(content) - end,
    )


def strip_webp(content: bytes, *, limits: ImageLimits) -> bytes:
    """Return the same coded image or animation with only its color profile."""
    chunks = list(_walk(content))
    kept = [chunk for chunk in chunks if _belongs_to_image(chunk, limits)]
    if len(kept) == len(chunks) and chunks[-1].end == len(content):
        return content
    has_icc = any(chunk.kind == b"ICCP" for chunk in kept)
    parts = []
    for chunk in kept:
        part = content[chunk.start : chunk.body + chunk.size] + b"\x00" * (chunk.size % 2)
        if chunk.kind == b"VP8X":
            removed = _EXIF_FLAG | _XMP_FLAG | (0 if has_icc else _ICC_FLAG)
            part = part[:8] + bytes([part[8] & ~removed]) + part[9:]
        parts.append(part)
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _belongs_to_image(chunk: _Chunk, limits: ImageLimits) -> bool:
    if chunk.kind == b"ICCP":
        return 0 < chunk.size <= limits.max_icc_bytes
    return chunk.kind in _CODED or chunk.kind == b"VP8X"


def _riff_end(content: bytes) -> int:
    (size,) = struct.unpack_from("<I", content, 4)
    return 8 + size


def _walk(content: bytes) -> Iterator[_Chunk]:
    end = _riff_end(content)
    if end > len(content):
        raise truncated()
    position = 12
    while position + 8 <= end:
        kind, size = struct.unpack_from("<4sI", content, position)
        if position + 8 + size > end:
            raise truncated()
        following = min(position + 8 + size + size % 2, end)
        yield _Chunk(kind, position, position + 8, size, following)
        position = following
    if position == 12:
        raise truncated()


def _read_size(chunk: _Chunk, head: bytes) -> tuple[int, int]:
    """Return width and height in pixels from the start of the body of a chunk."""
    try:
        if chunk.kind == _LOSSY:
            start_code, width, height = struct.unpack_from("<3sHH", head, 3)
            if start_code != b"\x9d\x01\x2a":
                raise broken("its image data has no start")
            return width & 0x3FFF, height & 0x3FFF
        if chunk.kind == _LOSSLESS:
            signature, packed = struct.unpack_from("<BI", head)
            if signature != 0x2F:
                raise broken("its image data has no start")
            return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
        at = 4 if chunk.kind == b"VP8X" else 6
        width, height = head[at : at + 3], head[at + 3 : at + 6]
        if len(height) < 3:
            raise truncated()
    except struct.error as error:
        raise truncated() from error
    return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
