"""Input and output of a renderer. These values are passed between processes."""

from dataclasses import dataclass, field

from imaging.structure import ImageLimits


@dataclass(frozen=True)
class RenderSpec:
    sides_px: tuple[int, ...] = (500, 150)  # longer sides; a smaller image keeps its size
    quality: int = 85  # of JPEGs
    reencode_original: bool = False
    background: str = "#ffffff"  # behind transparent parts
    limits: ImageLimits = field(default_factory=ImageLimits)


@dataclass(frozen=True)
class Rendition:
    side_px: int  # as requested
    width: int
    height: int
    content_type: str
    content: bytes


@dataclass(frozen=True)
class RenderedImage:
    renditions: tuple[Rendition, ...]  # in the order of `sides_px`
    original: bytes | None  # full size, upright, sRGB, without metadata; JPEG
    width: int  # of the upright image
    height: int
    dominant_color: str  # "#rrggbb"
    blurhash: str
    luma_deviation: float  # 0 for a single color, 30-80 for photographs
    sharpness: float  # deviation of the Laplacian in the middle of the largest rendition; under 3 if blurred
