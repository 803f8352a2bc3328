"""What is wished of a renderer and what comes back: values that pass between processes."""

from dataclasses import dataclass, field

from imaging.structure import ImageLimits


@dataclass(frozen=True)
class RenderSpec:
    sides_px: tuple[int, ...] = (500, 150)  # of the longer side; a smaller picture keeps its size
    quality: int = 85  # of all JPEGs written
    reencode_original: bool = False
    background: str = "#ffffff"  # shows where the picture is transparent
    limits: ImageLimits = field(default_factory=ImageLimits)


@dataclass(frozen=True)
class Rendition:
    side_px: int  # as wished
    width: int
    height: int
    content_type: str
    content: bytes


@dataclass(frozen=True)
class RenderedImage:
    renditions: tuple[Rendition, ...]  # in the order of the wish
    original: bytes | None  # full size, upright, sRGB, without metadata; JPEG
    width: int  # of the picture itself, upright
    height: int
    dominant_color: str  # "#rrggbb"
    blurhash: str
    luma_deviation: float  # 0 for one flat colour; photographs 30-80
    sharpness: float  # deviation of the Laplacian in the middle of the largest rendition; blurred pictures stay under 3
