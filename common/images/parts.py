"""Values about pictures. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageLimits:
    """What is refused before a decoder runs. Pixels count once for each frame."""

    max_pixels: int = 40_000_000
    max_side_px: int = 12_000
    max_ratio: int = 20
    max_chunks: int = 10_000


@dataclass(frozen=True)
class ImageStructure:
    """`orientation` as EXIF has it, 1 to 8. `jpeg_quality` is an estimate, 1 to 100; None for lossless formats."""

    format: str
    content_type: str
    width: int
    height: int
    frames: int = 1
    is_cmyk: bool = False
    orientation: int = 1
    jpeg_quality: int | None = None
    trailing_bytes: int = 0


@dataclass(frozen=True)
class RenderWish:
    """What to make: JPEG at `quality` with these longest sides, never enlarged; the first is made of the picture, each
    other of the one before. Transparent parts get `background`. `wants_original`: the whole picture anew as well."""

    sides_px: tuple[int, ...]
    wants_original: bool = False
    quality: int = 85
    background: tuple[int, int, int] = (255, 255, 255)
    max_pixels: int = 40_000_000


@dataclass(frozen=True)
class Rendition:
    side_px: int
    width: int
    height: int
    content: bytes
    content_type: str = "image/jpeg"


@dataclass(frozen=True)
class RenderedImage:
    """`width` and `height` are those of the upright picture. `luma_deviation` tells blank from full, 0 to 128;
    `sharpness` is the deviation of its edges."""

    width: int
    height: int
    renditions: tuple[Rendition, ...]
    original: bytes | None
    dominant_colour: str
    blurhash: str
    luma_deviation: float
    sharpness: float
    original_content_type: str = "image/jpeg"
