"""What a file says of itself, told from its bytes alone: no decoder runs here. Pure.

Formats: JPEG (ITU T.81), PNG (W3C), WebP (RIFF container). Everything else is refused by its first bytes.
"""

from common.images import jpeg, png, webp
from common.images.errors import ImageRefused
from common.images.foreign import refuse_foreign, refuse_pdf
from common.images.parts import ImageLimits, ImageStructure

__all__ = ["ImageLimits", "ImageStructure", "inspect", "strip_metadata"]


def inspect(content: bytes, *, limits: ImageLimits) -> ImageStructure:
    """The structure of a JPEG, PNG or WebP picture, in time linear to its length.

    Raises ImageRefused: other formats, cut off files, other files hidden in it, too many pixels, impossible shapes.
    """
    if content.startswith(jpeg.MAGIC):
        structure = jpeg.read(content)
    elif content.startswith(png.MAGIC):
        structure = png.read(content, limits)
    elif content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        structure = webp.read(content, limits)
    else:
        raise ImageRefused("Only JPEG, PNG and WebP pictures are taken", code="format_not_accepted")
    refuse_pdf(content)
    refuse_foreign(content[len(content) - structure.trailing_bytes :], "behind its end")
    _check_shape(structure, limits)
    return structure


def _check_shape(structure: ImageStructure, limits: ImageLimits) -> None:
    width, height = structure.width, structure.height
    if not width or not height:
        raise ImageRefused("The picture has no size", code="image_shape")
    if max(width, height) > limits.max_side_px or max(width, height) > limits.max_ratio * min(width, height):
        raise ImageRefused(
            f"{width} x {height} is not a shape we take: sides up to {limits.max_side_px}, up to"
            f" {limits.max_ratio} times as long as wide",
            code="image_shape",
        )
    if width * height * structure.frames > limits.max_pixels:
        raise ImageRefused(
            f"{width} x {height} in {structure.frames} frames is more than {limits.max_pixels} pixels",
            code="image_too_many_pixels",
        )


def strip_metadata(content: bytes, structure: ImageStructure, *, max_icc_bytes: int = 1024 * 1024) -> bytes | None:
    """The same picture, bit for bit, without anything that is not needed to show it: no place, camera, text, thumbnail.

    None where that cannot be had without changing what is seen (CMYK, animations, an orientation that the format
    cannot say otherwise): such a picture is encoded anew.
    """
    if structure.frames > 1 or structure.is_cmyk:
        return None
    if structure.format == "JPEG":
        return jpeg.strip(content, structure, max_icc_bytes)
    if structure.orientation != 1:
        return None
    return (png if structure.format == "PNG" else webp).strip(content, max_icc_bytes)
