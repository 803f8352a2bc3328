"""The structure of an image, and its limits."""

from dataclasses import dataclass
from typing import Literal

from imaging.errors import ImageRejected

CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


@dataclass(frozen=True)
class ImageLimits:
    max_pixels: int = 40_000_000  # of all frames together
    max_side_px: int = 12_000
    max_ratio: int = 20  # longer side to shorter side
    max_icc_bytes: int = 1024 * 1024  # a larger color profile is removed
    max_chunks: int = 10_000  # segments of a JPEG, chunks of a PNG or WebP
    max_scans: int = 100  # a decoder processes the image once per scan; usual files have about ten


@dataclass(frozen=True)
class ImageStructure:
    format: Literal["JPEG", "PNG", "WEBP"]
    content_type: str
    width: int  # as stored, before `orientation`
    height: int
    frames: int
    bit_depth: int  # of one channel
    is_progressive: bool
    is_cmyk: bool
    orientation: int  # 1-8 as in EXIF; 1 is upright
    jpeg_quality: int | None  # 1-100, estimated
    has_icc: bool
    trailing_bytes: int

    @property
    def oriented_size(self) -> tuple[int, int]:
        """Width and height after applying `orientation`."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def check_size(width: int, height: int, *, frames: int, limits: ImageLimits) -> None:
    """Raise ImageRejected for an empty, too large or too narrow image, and for too many pixels in all frames."""
    if width < 1 or height < 1:
        raise ImageRejected(f"The image is empty: {width} x {height} pixels.", code="image_shape")
    if width * height * frames > limits.max_pixels:
        each = f" in {frames} frames" if frames > 1 else ""
        raise ImageRejected(
            f"The image has too many pixels: {width} x {height}{each}; at most {limits.max_pixels:,} are allowed.",
            code="image_too_many_pixels",
        )
    if max(width, height) > limits.max_side_px:
        raise ImageRejected(
            f"A side of the image is too long: {width} x {height}; at most {limits.max_side_px:,} pixels are allowed.",
            code="image_shape",
        )
    if max(width, height) > limits.max_ratio * min(width, height):
        raise ImageRejected(
            f"The image is too narrow: {width} x {height}; the ratio may be at most {limits.max_ratio}:1.",
            code="image_shape",
        )


def check_count(count: int, *, limits: ImageLimits) -> None:
    if count > limits.max_chunks:
        raise ImageRejected(f"The file has more than {limits.max_chunks:,} parts.", code="image_too_costly")


def truncated() -> ImageRejected:
    return ImageRejected("The file ends before its image data is complete.", code="image_truncated")


def broken(what: str) -> ImageRejected:
    return ImageRejected(f"The file is damaged: {what}.", code="image_broken")
