"""The pictures to store: made in a guarded child, one decode for all sizes."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from albumart.pipeline.validate import image_limits
from albumart.quality import RULE_VERSION, assess_quality
from albumart.steps import StepRecorder
from imaging.renditions import RenderSpec
from imaging.sandbox import render_in_sandbox
from imaging.structure import ImageStructure, strip_metadata

ORIGINAL = "original"
_REENCODED_TYPE = "image/jpeg"


@dataclass(frozen=True)
class RenderedFile:
    name: str
    content: bytes
    content_type: str
    width_px: int
    height_px: int


@dataclass(frozen=True)
class RenderedArtwork:
    files: tuple[RenderedFile, ...]
    quality: str
    measurements: dict[str, Any]
    dominant_color: str
    blurhash: str

    @property
    def original(self) -> RenderedFile:
        return next(file for file in self.files if file.name == ORIGINAL)


def render_artwork(content: bytes, structure: ImageStructure, recorder: StepRecorder) -> RenderedArtwork:
    """Return the original without metadata, a rendition for each of ALBUMART_RENDITION_SIZES_PX, and measurements.

    Raises ImageRejected.
    """
    limits = image_limits()
    stripped = strip_metadata(content, structure, limits=limits)
    spec = RenderSpec(sides_px=settings.ALBUMART_RENDITION_SIZES_PX, reencode_original=stripped is None, limits=limits)
    # The stripped bytes are decoded, because they are the bytes that are served.
    rendered = render_in_sandbox(
        stripped or content,
        spec,
        max_seconds=settings.ALBUMART_DECODE_TIMEOUT_SECONDS,
        max_memory_bytes=settings.ALBUMART_DECODE_MEMORY_BYTES,
    )
    measurements = {
        "width": rendered.width,
        "height": rendered.height,
        "format": structure.format,
        "jpeg_quality": structure.jpeg_quality,
        "luma_deviation": rendered.luma_deviation,
        "sharpness": rendered.sharpness,
        "original": "kept" if stripped else "re-encoded",
        "received_bytes": len(content),
    }
    quality = assess_quality(measurements)
    if stripped is not None:
        original = RenderedFile(ORIGINAL, stripped, structure.content_type, rendered.width, rendered.height)
    else:
        original = RenderedFile(ORIGINAL, rendered.original, _REENCODED_TYPE, rendered.width, rendered.height)
    sized = [RenderedFile(str(r.side_px), r.content, r.content_type, r.width, r.height) for r in rendered.renditions]
    recorder.size_bytes = sum(len(file.content) for file in (original, *sized))
    recorder.details = {"quality": quality, "rule": RULE_VERSION, "original": measurements["original"]}
    return RenderedArtwork(
        files=(*sized, original),
        quality=quality,
        measurements=measurements,
        dominant_color=rendered.dominant_color,
        blurhash=rendered.blurhash,
    )
