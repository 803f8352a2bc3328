"""The segments of a JPEG (ITU-T T.81, annex B)."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from imaging.errors import ImageRejected
from imaging.structure.exif import orientation_block, read_orientation
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

MAGIC = b"\xff\xd8\xff"
_EOI, _SOS, _DQT, _DHT, _DRI, _DNL, _COM = 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xDC, 0xFE
_JFIF, _EXIF, _ICC, _ADOBE = 0xE0, 0xE1, 0xE2, 0xEE
_APPLICATION = range(0xE0, 0xF0)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = 0xC2
_DECODABLE_FRAMES = (0xC0, 0xC1, _PROGRESSIVE)  # baseline, extended, progressive; all with Huffman codes
_NEEDED_TO_DECODE = (*_DECODABLE_FRAMES, _SOS, _DQT, _DHT, _DRI, _EOI)
_KNOWN = frozenset([*_NEEDED_TO_DECODE, _DNL, _COM, *_APPLICATION, *_FRAMES])
# In coded data FF is followed by 00 or a restart marker; other bytes end the data. FF before a marker is padding.
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PADDING = re.compile(rb"\xff+")
_ICC_HEAD = b"ICC_PROFILE\x00"
_EXIF_HEAD = b"Exif\x00\x00"
# The luminance table of T.81, annex K, in zigzag order. Nearly all encoders scale it by their quality.
_LUMINANCE = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
    60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113,
    121, 112, 100, 120, 92, 101, 103, 99,
)  # fmt: skip


@dataclass(frozen=True)
class _Segment:
    marker: int
    start: int  # of the marker
    body: int  # after marker and length
    end: int  # after the body; of a scan, after its coded data too

    def content(self, whole: bytes) -> bytes:
        return whole[self.body : self.end]


@dataclass(frozen=True)
class _Frame:
    marker: int
    bit_depth: int
    width: int
    height: int
    blocks: int  # of 8 x 8 samples, of all components together; rounded down
    components: int
    luminance_table: int


def inspect_jpeg(content: bytes, *, limits: ImageLimits) -> ImageStructure:
    segments: list[_Segment] = []
    frame: _Frame | None = None
    scans = coded_bytes = 0
    for segment in _walk(content, start=0):
        segments.append(segment)
        check_count(len(segments), limits=limits)
        if segment.marker in _FRAMES:
            if frame:
                raise broken("it has two frame headers")
            frame = _read_frame(segment, content)
            check_size(frame.width, frame.height, frames=1, limits=limits)
        elif segment.marker == _SOS:
            scans += 1
            coded_bytes += segment.end - segment.body
            if not frame:
                raise broken("coded data comes before the frame header")
            if scans > limits.max_scans:
                raise ImageRejected("The image has too many scans.", code="image_too_costly")
    if not frame or not scans:
        raise broken("it contains no image")
    # A block has at least one bit for its mean and, except in progressive files, one for its end.
    if coded_bytes * 8 < frame.blocks * (1 if frame.marker == _PROGRESSIVE else 2):
        raise truncated()
    end = segments[-1].end
    _reject_foreign_segments(content, segments)
    _reject_foreign_tail(content, end, parts=len(segments), limits=limits)
    return ImageStructure(
        format="JPEG",
        content_type=CONTENT_TYPES["JPEG"],
        width=frame.width,
        height=frame.height,
        frames=1,
        bit_depth=frame.bit_depth,
        is_progressive=frame.marker == _PROGRESSIVE,
        is_cmyk=frame.components == 4,
        orientation=_orientation(content, segments),
        jpeg_quality=_estimate_quality(content, segments, frame.luminance_table),
        has_icc=0 < _icc_bytes(content, segments) <= limits.max_icc_bytes,
        trailing_bytes=len(content) - end,
    )


def strip_jpeg(content: bytes, *, orientation: int, limits: ImageLimits) -> bytes:
    """Return the same coded image with only its color profile and orientation."""
    segments = list(_walk(content, start=0))
    has_icc = 0 < _icc_bytes(content, segments) <= limits.max_icc_bytes
    kept = [MAGIC[:2]]
    for segment in segments:
        body = segment.content(content) if segment.marker in _APPLICATION else b""
        if segment.marker == _JFIF and body.startswith(b"JFIF\x00") and len(body) >= 14:
            kept.append(_segment(_JFIF, body[:12] + b"\x00\x00"))  # no thumbnail
        elif segment.marker == _ADOBE and body.startswith(b"Adobe") and len(body) >= 12:
            kept.append(_segment(_ADOBE, body[:12]))
        elif segment.marker in _NEEDED_TO_DECODE or (has_icc and _is_icc(segment, body)):
            kept.append(content[segment.start : segment.end])
    if orientation != 1:
        kept.insert(2 if kept[1][1] == _JFIF else 1, _segment(_EXIF, _EXIF_HEAD + orientation_block(orientation)))
    return b"".join(kept)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _walk(content: bytes, *, start: int) -> Iterator[_Segment]:
    """Yield all segments after the SOI at `start`, including the EOI.

    Raises ImageRejected if the segments are truncated or invalid.
    """
    position = start + 2
    while True:
        padding = _PADDING.match(content, position)
        if padding is None:
            raise truncated() if position >= len(content) else broken("bytes between two segments belong to neither")
        body = padding.end() + 3
        if padding.end() >= len(content):
            raise truncated()
        marker = content[padding.end()]
        if marker == _EOI:
            yield _Segment(_EOI, padding.end() - 1, padding.end() + 1, padding.end() + 1)
            return
        if marker not in _KNOWN:
            raise broken(f"marker {marker:02X} has no meaning here")
        if body > len(content):
            raise truncated()
        (length,) = struct.unpack_from(">H", content, body - 2)
        if length < 2:
            raise broken("a segment has no length")
        end = body - 2 + length
        if marker == _SOS:
            found = _MARKER_AFTER_SCAN.search(content, min(end, len(content)))
            if found is None:
                raise truncated()
            end = found.start()
        if end >= len(content):
            raise truncated()
        yield _Segment(marker, padding.end() - 1, body, end)
        position = end


def _read_frame(segment: _Segment, content: bytes) -> _Frame:
    body = segment.content(content)
    if segment.marker not in _DECODABLE_FRAMES:
        raise ImageRejected("This kind of JPEG (lossless or arithmetic) is not taken.", code="format_not_accepted")
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise broken("its frame header has the wrong length")
    bit_depth, height, width, components = struct.unpack(">BHHB", body[:6])
    if bit_depth != 8 or components not in (1, 3, 4):
        raise ImageRejected("This kind of JPEG is not taken: 8 bits, 1, 3 or 4 colours.", code="format_not_accepted")
    factors = [(body[at] >> 4, body[at] & 15) for at in range(7, len(body), 3)]
    if not all(1 <= across <= 4 and 1 <= down <= 4 for across, down in factors):
        raise broken("its frame header has impossible sampling")
    widest, tallest = max(across for across, _ in factors), max(down for _, down in factors)
    blocks = sum((width * across // widest // 8) * (height * down // tallest // 8) for across, down in factors)
    return _Frame(segment.marker, bit_depth, width, height, blocks, components, luminance_table=body[8])


def _reject_foreign_segments(content: bytes, segments: list[_Segment]) -> None:
    for segment in segments:
        if segment.marker == _COM or segment.marker in _APPLICATION:
            reject_embedded_files(segment.content(content))


def _reject_foreign_tail(content: bytes, end: int, *, parts: int, limits: ImageLimits) -> None:
    """Check data after the image. Phones append whole JPEGs (preview, depth map), whose coded data is skipped."""
    while content.startswith(MAGIC, end):
        found: list[_Segment] = []
        try:
            for segment in _walk(content, start=end):
                found.append(segment)
                parts += 1
                check_count(parts, limits=limits)
        except ImageRejected as error:
            if error.code == "image_too_costly":
                raise
            break
        _reject_foreign_segments(content, found)
        end = found[-1].end
    if end < len(content):
        reject_embedded_files(content[end:])


def _orientation(content: bytes, segments: list[_Segment]) -> int:
    for segment in segments:
        if segment.marker == _EXIF and content.startswith(_EXIF_HEAD, segment.body):
            return read_orientation(segment.content(content)[len(_EXIF_HEAD) :])
    return 1


def _is_icc(segment: _Segment, body: bytes) -> bool:
    return segment.marker == _ICC and body.startswith(_ICC_HEAD)


def _icc_bytes(content: bytes, segments: list[_Segment]) -> int:
    numbering = len(_ICC_HEAD) + 2
    return sum(s.end - s.body - numbering for s in segments if s.marker == _ICC and _is_icc(s, s.content(content)))


def _estimate_quality(content: bytes, segments: list[_Segment], wanted: int) -> int | None:
    """Return the libjpeg quality that produces a table as coarse as this one."""
    for segment in segments:
        at = segment.body if segment.marker == _DQT else segment.end
        while at < segment.end:
            is_wide, number = content[at] >> 4, content[at] & 15
            size = 128 if is_wide else 64
            if at + 1 + size > segment.end:
                break
            if number == wanted:
                values = struct.unpack_from(">64H" if is_wide else "64B", content, at + 1)
                # At low quality the largest values are clipped at 255.
                pairs = [pair for pair in zip(values, _LUMINANCE, strict=True) if pair[0] < 255] or [(255, 1)]
                percent = max(1e-3, 100 * sum(value for value, _ in pairs) / sum(usual for _, usual in pairs))
                return max(1, min(100, round((200 - percent) / 2 if percent <= 100 else 5000 / percent)))
            at += 1 + size
    return None
