"""Covers to measure with: noise of all scales and shapes, as heavy to code as detailed photographs."""

import io
import random

from PIL import Image, ImageDraw

_COMMON_PART = 0.65  # of a channel, shared by all three: colours of real pictures vary less than their brightness
_SHAPES = 12


def draw_cover(side_px: int) -> Image.Image:
    chance = random.Random(side_px)
    common = _noise(side_px, chance)
    channels = [Image.blend(_noise(side_px, chance), common, _COMMON_PART) for _ in range(3)]
    cover = Image.merge("RGB", [_stretched(channel) for channel in channels])
    draw = ImageDraw.Draw(cover)
    for number in range(_SHAPES):
        left, top = chance.randrange(side_px), chance.randrange(side_px)
        size = chance.randrange(side_px // 20, side_px // 5)
        shape = draw.ellipse if number % 2 else draw.rectangle
        shape((left, top, left + size, top + size), fill=tuple(chance.randbytes(3)))
    return cover


def encode_cover(cover: Image.Image, image_format: str) -> bytes:
    content = io.BytesIO()
    cover.save(content, image_format, quality=92)
    return content.getvalue()


def _noise(side_px: int, chance: random.Random) -> Image.Image:
    """Octave upon octave, each with an equal part."""
    total, octaves, points = Image.new("L", (side_px, side_px), 128), 1, 4
    while points <= side_px * 2:
        size = min(points, side_px)
        octave = Image.frombytes("L", (size, size), chance.randbytes(size * size))
        octaves += 1
        total = Image.blend(total, octave.resize((side_px, side_px), Image.Resampling.BICUBIC), 1 / octaves)
        points *= 2
    return total


def _stretched(channel: Image.Image) -> Image.Image:
    return channel.point(lambda value: max(0, min(255, round((value - 128) * 2.2 + 128))))
