"""Pictures made for tests: sound ones of every kind, and those somebody sends to do harm."""

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageChops, ImageCms, ImageDraw

from imaging.structure.exif import orientation_block

GPS_TEXT = b"Klein Bottle 48.8583N 2.2944E"


def draw_scene(width: int = 96, height: int = 64, mode: str = "RGB") -> Image.Image:
    """Soft colours with a red top left corner and a blue bottom right one, so that a turn shows."""
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
    """Frames without a difference would be merged into one."""
    pictures = [Image.new("L" if image_format == "GIF" else "RGB", (side, side), "black") for _ in range(frames)]
    for number, picture in enumerate(pictures):
        picture.putpixel((number, 0), 255 if image_format == "GIF" else (255, 255, 255))
    return encode(pictures[0], image_format, save_all=True, append_images=pictures[1:])


def make_webp_bomb(*, frames: int, side: int) -> bytes:
    """An animation whose frames are empty: only what the structure states."""
    extent = struct.pack("<I", side - 1)[:3] * 2
    parts = [b"VP8X" + struct.pack("<I", 10) + b"\x02\x00\x00\x00" + extent]
    parts += [b"ANMF" + struct.pack("<I", 16) + bytes(6) + extent + bytes(4)] * frames
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def make_flat_png(width: int, height: int, *, bit_depth: int = 1, extra: Sequence[bytes] = ()) -> bytes:
    """Grey zeros, of any size, without ever holding the picture in memory."""
    packing = zlib.compressobj(9)
    line = bytes(1 + (width * bit_depth + 7) // 8)
    packed = b"".join([packing.compress(line * 100) for _ in range(height // 100)])
    packed += packing.compress(line * (height % 100)) + packing.flush()
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bit_depth, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")


def add_png_chunks(content: bytes, *chunks: bytes) -> bytes:
    """After the header."""
    return content[:33] + b"".join(chunks) + content[33:]


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def add_jpeg_segments(content: bytes, *segments: bytes) -> bytes:
    """After the start of the image, before all else."""
    return content[:2] + b"".join(segments) + content[2:]


def add_exif(content: bytes, tiff: bytes) -> bytes:
    return add_jpeg_segments(content, jpeg_segment(0xE1, b"Exif\x00\x00" + tiff))


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """As a camera held that way stores it: turning it as `orientation` says gives `image` again."""
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return image.transpose(back[orientation]) if orientation != 1 else image


def make_oriented_jpeg(orientation: int, **options: Any) -> bytes:
    return add_exif(encode(turned(draw_scene(), orientation), "JPEG", **options), orientation_block(orientation))


def make_icc_profile(name: str = "sRGB") -> bytes:
    """`sRGB` under another name than usual; `LAB` fits no picture of ours."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()
    return profile.replace(b"sRGB", b"tRGB")


def make_ycck_jpeg(image: Image.Image) -> bytes:
    """Pillow writes four channels, inverted, as CMYK: they are given those of YCCK, and the Adobe mark says so."""
    cyan, magenta, yellow, key = image.convert("CMYK").split()
    luma_and_colour = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr").split()
    stored = Image.merge("CMYK", (*(ImageChops.invert(plane) for plane in luma_and_colour), key))
    content = encode(stored, "JPEG", quality=98, subsampling=0)
    at = content.index(b"Adobe")
    return content[: at + 11] + b"\x02" + content[at + 12 :]
