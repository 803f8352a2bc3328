"""Encode the blurhash of an image: its coarse shapes and colors in 28 characters (github.com/woltapp/blurhash)."""

import math
from collections.abc import Sequence
from functools import cache
from operator import mul

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
_ACROSS, _DOWN = 4, 3  # components


def encode_blurhash(pixels: Sequence[tuple[int, int, int]], width: int, height: int) -> str:
    """Encode sRGB pixels in rows from the top. A few hundred suffice, as components span at least a third of a side."""
    components = _components(pixels, width, height)
    strongest = max(abs(value) for component in components[1:] for value in component)
    scale = max(0, min(82, math.floor(strongest * 166 - 0.5)))
    return "".join(
        [
            _base83((_ACROSS - 1) + (_DOWN - 1) * 9, 1),
            _base83(scale, 1),
            _base83(_mean_color(components[0]), 4),
            *(_base83(_detail(component, (scale + 1) / 166), 2) for component in components[1:]),
        ]
    )


def _components(pixels: Sequence[tuple[int, int, int]], width: int, height: int) -> list[list[float]]:
    """Return the cosine transform in linear light, first by rows, then by columns. A component is red, green, blue."""
    to_linear = _linear_values()
    planes = [[to_linear[pixel[channel]] for pixel in pixels] for channel in range(3)]
    across = [_cosines(frequency, width) for frequency in range(_ACROSS)]
    down = [_cosines(frequency, height) for frequency in range(_DOWN)]
    components: list[list[float]] = [[] for _ in range(_ACROSS * _DOWN)]
    for plane in planes:
        rows = [plane[start : start + width] for start in range(0, width * height, width)]
        for x, wave in enumerate(across):
            sums = [sum(map(mul, row, wave)) for row in rows]
            for y, other_wave in enumerate(down):
                weight = (1 if x == y == 0 else 2) / (width * height)
                components[y * _ACROSS + x].append(weight * sum(map(mul, sums, other_wave)))
    return components


def _cosines(frequency: int, length: int) -> list[float]:
    return [math.cos(math.pi * frequency * at / length) for at in range(length)]


@cache
def _linear_values() -> tuple[float, ...]:
    values = (value / 255 for value in range(256))
    return tuple(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values)


def _to_srgb(linear: float) -> int:
    value = max(0.0, min(1.0, linear))
    return int((value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055) * 255 + 0.5)


def _mean_color(component: list[float]) -> int:
    red, green, blue = (_to_srgb(value) for value in component)
    return red << 16 | green << 8 | blue


def _detail(component: list[float], strongest: float) -> int:
    red, green, blue = (
        max(0, min(18, math.floor(math.copysign(abs(value / strongest) ** 0.5, value) * 9 + 9.5)))
        for value in component
    )
    return red * 19 * 19 + green * 19 + blue


def _base83(number: int, length: int) -> str:
    return "".join(_ALPHABET[number // 83**place % 83] for place in reversed(range(length)))
