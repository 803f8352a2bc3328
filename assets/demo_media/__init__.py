"""Small valid files for demo assets. Images and audio are generated; the video is a file of one second."""

import io
import math
import struct
import wave
from colorsys import hsv_to_rgb
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw

_SIDE_PX = 240
_RATE_HZ = 8000


def make_media(layer: str, seed: int, label: str) -> tuple[bytes, str, str]:
    """Return (bytes, MIME type, extension) for the layer; equal arguments give equal bytes."""
    if layer in "MC":
        return _video(), "video/mp4", "mp4"
    if layer == "G":
        return make_audio(seed), "audio/wav", "wav"
    return make_image(seed, label), "image/png", "png"


def make_image(seed: int, label: str) -> bytes:
    top, bottom = (_color(seed * 0.137), _color(seed * 0.137 + 0.22))
    ramp = Image.linear_gradient("L").resize((_SIDE_PX, _SIDE_PX))
    image = Image.composite(Image.new("RGB", ramp.size, bottom), Image.new("RGB", ramp.size, top), ramp)
    draw = ImageDraw.Draw(image)
    draw.ellipse((60 + seed % 60, 50, 150 + seed % 60, 140), fill=_color(seed * 0.137 + 0.5))
    draw.text((12, _SIDE_PX - 24), label, fill="white")
    content = io.BytesIO()
    image.quantize(64).save(content, "PNG")
    return content.getvalue()


def make_audio(seed: int) -> bytes:
    """Generate half a second of a fading tone."""
    pitch_hz = 220 * 2 ** (seed % 12 / 12)
    count = _RATE_HZ // 2
    samples = (int(12000 * (1 - i / count) * math.sin(2 * math.pi * pitch_hz * i / _RATE_HZ)) for i in range(count))
    content = io.BytesIO()
    with wave.open(content, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(_RATE_HZ)
        audio.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return content.getvalue()


@cache
def _video() -> bytes:
    return (Path(__file__).parent / "loop.mp4").read_bytes()


def _color(hue: float) -> tuple[int, int, int]:
    red, green, blue = hsv_to_rgb(hue % 1, 0.55, 0.85)
    return int(red * 255), int(green * 255), int(blue * 255)
