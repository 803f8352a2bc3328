"""Another file after an image or in its comments is rejected; data of cameras is accepted."""

import pytest

from imaging.errors import ImageRejected
from imaging.structure import ImageLimits, ImageStructure, inspect
from tests.support.sample_images import add_jpeg_segments, add_png_chunks, jpeg_segment, make_picture, png_chunk

FORMATS = ["JPEG", "PNG", "WEBP"]


def look_at(content: bytes) -> ImageStructure:
    return inspect(content, limits=ImageLimits())


def error_of(content: bytes) -> str:
    with pytest.raises(ImageRejected) as refused:
        look_at(content)
    return refused.value.code


FOREIGN = [
    b"PK\x03\x04\x14\x00\x00\x00\x08\x00",
    b"MZ\x90\x00\x03\x00",
    b"\x7fELF\x02\x01\x01\x00",
    b"Rar!\x1a\x07\x01\x00",
    b"7z\xbc\xaf\x27\x1c\x00\x04",
    b"GIF89a\x01\x00",
    b"<HTML><body>",
    b"<script>alert(1)</script>",
    b"<?php system($_GET[0]); ?>",
    b"<svg onload=alert(1)>",
    b"#!/bin/sh\n",
]
INSIDE = [part for part in FOREIGN if not part.startswith((b"MZ", b"#!"))]


@pytest.mark.parametrize("foreign", FOREIGN)
def test_another_file_after_or_inside_the_image_is_rejected(foreign: bytes) -> None:
    for image_format in FORMATS:
        assert error_of(make_picture(image_format) + foreign) == "image_polyglot"
        assert error_of(make_picture(image_format) + bytes(64) + foreign) == "image_polyglot"
    assert error_of(add_jpeg_segments(make_picture(), jpeg_segment(0xFE, foreign))) == "image_polyglot"
    text = png_chunk(b"tEXt", b"Comment\x00" + foreign)
    assert error_of(add_png_chunks(make_picture("PNG"), text)) == "image_polyglot"


@pytest.mark.parametrize("foreign", INSIDE)
def test_another_file_inside_a_text_is_rejected(foreign: bytes) -> None:
    text = b"A holiday. " * 50 + foreign + b" and more"
    assert error_of(add_jpeg_segments(make_picture(), jpeg_segment(0xFE, text))) == "image_polyglot"
    assert error_of(add_jpeg_segments(make_picture(), jpeg_segment(0xE1, text))) == "image_polyglot"
    assert error_of(make_picture("WEBP") + text) == "image_polyglot"


def test_everything_that_a_pdf_reader_opens_is_rejected() -> None:
    comment = jpeg_segment(0xFE, bytes(500) + b"%PDF-1.7")
    assert error_of(add_jpeg_segments(make_picture(), comment)) == "image_polyglot"


@pytest.mark.parametrize("tail", [b"\x00" * 4096, b"\xff", b"SEFH\x6a\x00\x00\x00", b"any words of a camera"])
@pytest.mark.parametrize("image_format", FORMATS)
def test_harmless_trailing_bytes_are_counted(image_format: str, tail: bytes) -> None:
    assert look_at(make_picture(image_format) + tail).trailing_bytes == len(tail)


def test_a_trailing_preview_is_counted_and_its_texts_are_checked() -> None:
    preview = make_picture(width=32, height=32)
    assert look_at(make_picture() + preview + preview).trailing_bytes == 2 * len(preview)
    armed = add_jpeg_segments(preview, jpeg_segment(0xFE, b"<?php x ?>"))
    assert error_of(make_picture() + preview + armed) == "image_polyglot"
