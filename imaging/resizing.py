"""Decode images with libvips, which shrinks them while it reads (measured in benchmarks/README.md).

libvips starts threads. A process forked afterwards has none of them and would wait for them forever, so the sandbox
process never decodes: it calls `prepare` and then forks a process for each image.
"""

import logging
from collections.abc import Callable
from typing import Any

import pyvips
from PIL import Image, ImageColor

from imaging.structure import ImageStructure

_JPEG_FACTORS = (8, 4, 2)  # by which libjpeg can shrink while it decodes
_GAP = 2  # minimum factor between the decoded and the requested size: PSNR 38 dB to a full Lanczos, 34 dB with 1
_LOADERS: dict[str, Callable[..., Any]] = {
    "JPEG": pyvips.Image.jpegload_buffer,
    "PNG": pyvips.Image.pngload_buffer,
    "WEBP": pyvips.Image.webpload_buffer,
}
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}  # by number of channels without alpha
_CMYK = "cmyk"

logging.getLogger("pyvips").setLevel(logging.ERROR)  # a damaged image would write its warnings to the log
# Of the loaders of libvips only three stay enabled.
pyvips.block_untrusted_set(True)
pyvips.operation_block_set("VipsForeignLoad", True)
for _name in ("Jpeg", "Png", "Webp"):
    pyvips.operation_block_set(f"VipsForeignLoad{_name}", False)
pyvips.cache_set_max(0)
pyvips.concurrency_set(1)

DecodingError = pyvips.Error


def prepare() -> None:
    """Look up the operations, so that forked processes do not have to; this starts no thread."""
    for name in ("jpegload_buffer", "pngload_buffer", "webpload_buffer", "colourspace", "flatten", "resize"):
        pyvips.Introspect.get(name)


def fit(size: tuple[int, int], longest_side_px: int) -> tuple[int, int]:
    """Return width and height within a square of that side, not larger than `size`, at least one pixel."""
    longest = max(size)
    if longest <= longest_side_px:
        return size
    width, height = (max(1, round(side * longest_side_px / longest)) for side in size)
    return width, height


def decode(
    content: bytes, structure: ImageStructure, size: tuple[int, int], background: str
) -> tuple[Image.Image, bytes | None]:
    """Return the image as L, RGB or CMYK of the given size, on the background color, and its color profile.

    Raises DecodingError if the image cannot be decoded completely.
    """
    options: dict[str, Any] = {"access": "sequential", "fail_on": "error"}
    if structure.format == "JPEG":
        options["shrink"] = _shrink_on_load((structure.width, structure.height), size)
    image = _LOADERS[structure.format](content, **options)
    profile = image.get("icc-profile-data") if image.get_typeof("icc-profile-data") else None
    if image.interpretation != _CMYK:
        if image.hasalpha():
            image = image.colourspace("srgb").flatten(background=ImageColor.getrgb(background))
        elif image.format != "uchar":  # 16 bits
            image = image.colourspace("srgb" if image.bands == 3 else "b-w")
    if (image.width, image.height) != size:
        image = image.resize(size[0] / image.width, vscale=size[1] / image.height, kernel="lanczos3")
    return Image.frombytes(_MODES[image.bands], (image.width, image.height), image.write_to_memory()), profile


def _shrink_on_load(full_size: tuple[int, int], size: tuple[int, int]) -> int:
    factor = min(full / wanted for full, wanted in zip(full_size, size, strict=True))
    return next((step for step in _JPEG_FACTORS if factor >= step * _GAP), 1)
