"""A blurred picture in some thirty characters (the BlurHash format, blurha.sh). Pure."""

import math
from collections.abc import Sequence

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
_LINEAR = tuple(
    v / 255 / 12.92 if v / 255 <= 0.04045 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in range(256)
)  # fmt: skip
Colour = tuple[float, float, float]


def encode(pixels: Sequence[tuple[int, int, int]], width: int, height: int, *, across: int = 4, down: int = 3) -> str:
    """The hash of sRGB pixels, row by row; `across` x `down` waves are kept. Made for small pictures: 20 x 20."""
    factors = _waves(pixels, width, height, across, down)
    average, waves = factors[0], factors[1:]
    largest = max((abs(part) for wave in waves for part in wave), default=0.0)
    scale = max(0, min(82, math.floor(largest * 166 - 0.5)))
    text = _base83((across - 1) + (down - 1) * 9, 1) + _base83(scale, 1)
    red, green, blue = (_to_srgb(part) for part in average)
    text += _base83((red << 16) + (green << 8) + blue, 4)
    return text + "".join(_base83(_pack_wave(wave, (scale + 1) / 166), 2) for wave in waves)


def _waves(pixels: Sequence[tuple[int, int, int]], width: int, height: int, across: int, down: int) -> list[Colour]:
    """Cosine sums, first along each row, then over the rows."""
    columns = [[math.cos(math.pi * i * x / width) for x in range(width)] for i in range(across)]
    rows = []
    for y in range(height):
        linear = [(_LINEAR[r], _LINEAR[g], _LINEAR[b]) for r, g, b in pixels[y * width : (y + 1) * width]]
        rows.append([[sum(c * p[k] for c, p in zip(cosines, linear, strict=True)) for k in range(3)]
                     for cosines in columns])  # fmt: skip
    factors: list[Colour] = []
    for j in range(down):
        cosines = [math.cos(math.pi * j * y / height) for y in range(height)]
        for i in range(across):
            weight = (1 if i == j == 0 else 2) / (width * height)
            sums = [weight * sum(c * row[i][k] for c, row in zip(cosines, rows, strict=True)) for k in range(3)]
            factors.append((sums[0], sums[1], sums[2]))
    return factors


def _to_srgb(part: float) -> int:
    part = max(0.0, min(1.0, part))
    return round(255 * (part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055))


def _pack_wave(wave: Colour, largest: float) -> int:
    packed = 0
    for part in wave:
        root = math.copysign(math.sqrt(abs(part / largest)), part)
        packed = packed * 19 + max(0, min(18, math.floor(root * 9 + 9.5)))
    return packed


def _base83(value: int, length: int) -> str:
    return "".join(_DIGITS[value // 83**place % 83] for place in range(length - 1, -1, -1))
