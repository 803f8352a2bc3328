"""Images for tests: valid ones of every kind, and malicious ones."""

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageChops, ImageCms, ImageDraw

from imaging.structure.exif import orientation_block

GPS_TEXT = b"Klein Bottle 48.8583N 2.2944E"


def draw_scene(width: int = 96, height: int = 64, mode: str = "RGB") -> Image.Image:
    """Draw gradients with a red top left and a blue bottom right corner, so that a rotation is visible."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    scene = Image.merge("RGB", (across, down, Image.new("L", (width, height), 96)))
    draw = ImageDraw.Draw(scene)
    draw.rectangle((0, 0, width // 3, height // 3), fill="red")
    draw.rectangle((width - width // 3, height - height // 3, width, height), fill="blue")
    return scene.convert(mode)


def encode(image: Image.Image, image_format: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, image_format, **options)
    return content.getvalue()


def decode(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def make_picture(image_format: str = "JPEG", width: int = 96, height: int = 64, **options: Any) -> bytes:
    return encode(draw_scene(width, height), image_format, **options)


def make_animation(image_format: str, *, frames: int, side: int) -> bytes:
    """Encode frames that differ in one pixel, because equal frames would be merged."""
    images = [Image.new("L" if image_format == "GIF" else "RGB", (side, side), "black") for _ in range(frames)]
    for number, image in enumerate(images):
        image.putpixel((number, 0), 255 if image_format == "GIF" else (255, 255, 255))
    return encode(images[0], image_format, save_all=True, append_images=images[1:])


def make_webp_bomb(*, frames: int, side: int) -> bytes:
    """Return an animation whose frames have a size but no content."""
    extent = struct.pack("<I", side - 1)[:3] * 2
    parts = [b"VP8X" + struct.pack("<I", 10) + b"\x02\x00\x00\x00" + extent]
    parts += [b"ANMF" + struct.pack("<I", 16) + bytes(6) + extent + bytes(4)] * frames
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def make_flat_png(width: int, height: int, *, bit_depth: int = 1, extra: Sequence[bytes] = ()) -> bytes:
    """Return a black grayscale PNG of any size, compressed line by line to save memory."""
    packing = zlib.compressobj(9)
    line = bytes(1 + (width * bit_depth + 7) // 8)
    packed = b"".join([packing.compress(line * 100) for _ in range(height // 100)])
    packed += packing.compress(line * (height % 100)) + packing.flush()
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bit_depth, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")


def add_png_chunks(content: bytes, *chunks: bytes) -> bytes:
    """Insert chunks after the header."""
    return content[:33] + b"".join(chunks) + content[33:]


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def add_jpeg_segments(content: bytes, *segments: bytes) -> bytes:
    """Insert segments after the start-of-image marker."""
    return content[:2] + b"".join(segments) + content[2:]


def add_exif(content: bytes, tiff: bytes) -> bytes:
    return add_jpeg_segments(content, jpeg_segment(0xE1, b"Exif\x00\x00" + tiff))


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return `image` as a camera stores it: applying `orientation` restores the original."""
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return image.transpose(inverse[orientation]) if orientation != 1 else image


def make_oriented_jpeg(orientation: int, **options: Any) -> bytes:
    return add_exif(encode(turned(draw_scene(), orientation), "JPEG", **options), orientation_block(orientation))


def make_icc_profile(name: str = "sRGB") -> bytes:
    """Return an sRGB profile with an unusual name, or a `LAB` profile, which fits no image of the project."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()
    return profile.replace(b"sRGB", b"tRGB")


def make_ycck_jpeg(image: Image.Image) -> bytes:
    """Return a YCCK JPEG. Pillow writes only CMYK, so the channels are converted and the Adobe marker is set."""
    cyan, magenta, yellow, key = image.convert("CMYK").split()
    luma_and_chroma = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr").split()
    stored = Image.merge("CMYK", (*(ImageChops.invert(plane) for plane in luma_and_chroma), key))
    content = encode(stored, "JPEG", quality=98, subsampling=0)
    at = content.index(b"Adobe")
    return content[: at + 11] + b"\x02" + content[at + 12 :]


def make_cover(side: int = 640, *, color: str = "teal", form: str = "JPEG", **options: object) -> bytes:
    """Return a square image with enough detail not to count as blank."""
    image = Image.new("RGB", (side, side), color)
    draw = ImageDraw.Draw(image)
    for step in range(0, side, max(side // 16, 1)):
        draw.ellipse((step // 2, step // 3, step, side - step // 2), outline="white", width=3)
        draw.line((0, step, side, side - step), fill="orange", width=2)
    return encode(image, form, **({"quality": 90} if form == "JPEG" else {}) | options)
