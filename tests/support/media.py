"""Small valid files to upload."""

import io
import wave

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image


def make_png(color: str = "teal", side: int = 8) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (side, side), color).save(content, "PNG")
    return content.getvalue()


def make_jpeg() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 8), "navy").save(content, "JPEG")
    return content.getvalue()


def make_wav() -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\x00\x01" * 80)
    return content.getvalue()


def make_mp3() -> bytes:
    """Return silent frames of MPEG-1 layer III, 128 kbit/s at 44.1 kHz."""
    return (b"\xff\xfb\x90\x00" + bytes(413)) * 4


def make_mp4(brand: bytes = b"isom") -> bytes:
    """Return the first box of an ISO media file and an empty media box."""
    return b"\x00\x00\x00\x18ftyp" + brand + b"\x00\x00\x02\x00isommp42" + b"\x00\x00\x00\x08mdat"


def make_svg() -> bytes:
    return b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect/></svg>'


def upload(name: str = "a.png", content: bytes | None = None, content_type: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make_png() if content is None else content, content_type)
