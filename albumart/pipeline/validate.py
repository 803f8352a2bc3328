"""Check the structure of image bytes before they are decoded."""

from django.conf import settings

from albumart.steps import StepRecorder
from imaging.structure import ImageLimits, ImageStructure, inspect


def image_limits() -> ImageLimits:
    return ImageLimits(max_pixels=settings.ALBUMART_MAX_PIXELS, max_side_px=settings.ALBUMART_MAX_SIDE_PX)


def validate_image(content: bytes, declared_type: str, recorder: StepRecorder) -> ImageStructure:
    """Return the structure of the image. Raises ImageRejected. The declared type is only recorded."""
    structure = inspect(content, limits=image_limits())
    declared = declared_type.partition(";")[0].strip().lower()
    recorder.size_bytes = len(content)
    recorder.details = {
        "format": structure.format,
        "width": structure.width,
        "height": structure.height,
        "frames": structure.frames,
        "declared_type": declared,
        "type_agrees": not declared or declared.replace("image/jpg", "image/jpeg") == structure.content_type,
        "trailing_bytes": structure.trailing_bytes,
    }
    return structure
