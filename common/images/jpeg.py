"""Segments of a JPEG file (ITU T.81, annex B). Pure."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from common.images.errors import broken, truncated
from common.images.exif import HEADER, orientation_block, read_orientation
from common.images.foreign import refuse_foreign
from common.images.parts import ImageStructure

MAGIC = b"\xff\xd8\xff"
_SOI, _EOI, _SOS, _DQT, _COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xFE
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ICC = b"ICC_PROFILE\0"
# Where a scan's data ends: a marker that is no stuffing, no restart and no filling.
_SCAN_END = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_LUMINANCE = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51,
    61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77,
    113, 121, 112, 100, 120, 92, 101, 103, 99,
)  # fmt: skip  # table K.1 in the order it is stored


@dataclass(frozen=True)
class _Segment:
    marker: int
    start: int
    payload: bytes
    end: int  # for a scan: behind its data


def _segments(content: bytes) -> Iterator[_Segment]:
    """All up to the end of the picture, that one included. Raises ImageRefused."""
    position, length = 2, len(content)
    while True:
        if position + 2 > length:
            raise truncated("its end is missing")
        if content[position] != 0xFF:
            raise broken("bytes where a segment should begin")
        start = position
        while position < length and content[position] == 0xFF:
            position += 1
        if position >= length:
            raise truncated("its end is missing")
        marker = content[position]
        position += 1
        if marker == _EOI:
            yield _Segment(marker, start, b"", position)
            return
        if marker == _SOI or marker == 0:
            raise broken("a picture begins within the picture")
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        if position + 2 > length:
            raise truncated("a segment has no length")
        (size,) = struct.unpack_from("!H", content, position)
        if size < 2 or position + size > length:
            raise truncated("a segment is longer than the file")
        payload = content[position + 2 : position + size]
        position += size
        if marker == _SOS:
            end = _SCAN_END.search(content, position)
            if end is None:
                raise truncated("its end is missing")
            position = end.start()
        yield _Segment(marker, start, payload, position)


def read(content: bytes) -> ImageStructure:
    width = height = components = 0
    orientation, quality, has_scan, end = 1, None, False, len(content)
    for segment in _segments(content):
        if segment.marker in _FRAMES:
            if components or len(segment.payload) < 6:
                raise broken("more than one frame")
            _, height, width, components = struct.unpack_from("!BHHB", segment.payload)
        elif segment.marker == _SOS:
            has_scan = True
        elif segment.marker == _DQT and quality is None:
            quality = _estimate_quality(segment.payload)
        elif segment.marker == _APP1 and segment.payload.startswith(HEADER):
            orientation = read_orientation(segment.payload[len(HEADER) :])
        end = segment.end
        if segment.marker == _COM or _APP0 <= segment.marker <= 0xEF:
            refuse_foreign(segment.payload, "in a text segment")
    if not components or not has_scan:
        raise truncated("it has no picture data")
    return ImageStructure(
        format="JPEG",
        content_type="image/jpeg",
        width=width,
        height=height,
        is_cmyk=components == 4,
        orientation=orientation,
        jpeg_quality=quality,
        trailing_bytes=len(content) - end,
    )


def _estimate_quality(payload: bytes) -> int | None:
    """The quality setting of the usual encoder (IJG) that yields about this luminance table."""
    if not payload:
        return None
    precision, table = payload[0] >> 4, payload[0] & 15
    form = "!64H" if precision else "!64B"
    if table != 0 or len(payload) < 1 + struct.calcsize(form):
        return None
    steps = struct.unpack_from(form, payload, 1)
    scale = 100 * sum(step / usual for step, usual in zip(steps, _LUMINANCE, strict=True)) / 64
    quality = (200 - scale) / 2 if scale <= 100 else 5000 / scale
    return max(1, min(100, round(quality)))


def strip(content: bytes, structure: ImageStructure, max_icc_bytes: int) -> bytes:
    """Without application segments and comments, but for what colours and orientation need."""
    segments = list(_segments(content))
    icc_bytes = sum(len(s.payload) for s in segments if s.marker == _APP2 and s.payload.startswith(_ICC))
    kept = [b"\xff\xd8"]
    if structure.orientation != 1:
        kept.append(_segment(_APP1, HEADER + orientation_block(structure.orientation)))
    for segment in segments:
        payload = segment.payload
        if segment.marker == _APP0:
            if payload.startswith(b"JFIF\0") and len(payload) >= 14:
                kept.insert(1, _segment(_APP0, payload[:12] + b"\0\0"))  # without its thumbnail
        elif segment.marker == _APP2:
            if payload.startswith(_ICC) and icc_bytes <= max_icc_bytes:
                kept.append(_segment(_APP2, payload))
        elif segment.marker == _APP14:
            if payload.startswith(b"Adobe"):
                kept.append(_segment(_APP14, payload[:12]))  # says how colours are coded
        elif segment.marker != _COM and not _APP0 <= segment.marker <= 0xEF:
            kept.append(content[segment.start : segment.end])
    return b"".join(kept)


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack("!BBH", 0xFF, marker, len(payload) + 2) + payload
