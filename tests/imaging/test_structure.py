"""Properties and rejections of an image before it is decoded."""

import contextlib
import struct
import tracemalloc
import zlib
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imaging.errors import ImageRejected
from imaging.structure import ImageLimits, ImageStructure, inspect
from imaging.structure.exif import orientation_block
from tests.support.sample_images import (
    add_exif,
    add_jpeg_segments,
    add_png_chunks,
    draw_scene,
    encode,
    jpeg_segment,
    make_animation,
    make_flat_png,
    make_icc_profile,
    make_oriented_jpeg,
    make_picture,
    make_webp_bomb,
    png_chunk,
)

LIMITS = ImageLimits()
FORMATS = ["JPEG", "PNG", "WEBP"]


def look_at(content: bytes) -> ImageStructure:
    return inspect(content, limits=LIMITS)


def error_of(content: bytes, limits: ImageLimits = LIMITS) -> str:
    with pytest.raises(ImageRejected) as refused:
        inspect(content, limits=limits)
    return refused.value.code


@pytest.mark.parametrize("image_format", FORMATS)
def test_format_and_size_are_read(image_format: str) -> None:
    found = look_at(make_picture(image_format, 97, 61))
    assert (found.format, found.width, found.height, found.frames) == (image_format, 97, 61, 1)
    assert found.content_type == f"image/{image_format.lower()}"
    assert (found.bit_depth, found.orientation, found.trailing_bytes, found.is_cmyk) == (8, 1, 0, False)


@pytest.mark.parametrize("quality", [10, 50, 75, 85, 95])
def test_estimates_the_quality_of_a_jpeg(quality: int) -> None:
    found = look_at(make_picture(quality=quality)).jpeg_quality
    assert found is not None
    assert abs(found - quality) <= 1


def test_progressive_cmyk_and_16_bit_images_are_recognized() -> None:
    assert look_at(make_picture(progressive=True)).is_progressive
    assert not look_at(make_picture()).is_progressive
    assert look_at(encode(draw_scene(mode="CMYK"), "JPEG")).is_cmyk
    assert look_at(encode(draw_scene(mode="L").convert("I;16"), "PNG")).bit_depth == 16


@pytest.mark.parametrize("image_format", ["WEBP", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_read(image_format: str, orientation: int) -> None:
    exif = b"Exif\x00\x00" + orientation_block(orientation)
    assert look_at(make_picture(image_format, exif=exif)).orientation == orientation
    assert look_at(make_oriented_jpeg(orientation)).orientation == orientation


def test_the_displayed_size_follows_the_orientation() -> None:
    assert look_at(make_oriented_jpeg(6)).oriented_size == (96, 64)
    assert look_at(make_oriented_jpeg(3)).oriented_size == (96, 64)


@pytest.mark.parametrize(
    "tiff",
    [
        b"",
        b"II*\x00",
        b"MM\x00*\xff\xff\xff\xff",
        b"MM\x00*\x00\x00\x00\x08\xff\xff" + bytes(60_000),
        orientation_block(9),
        orientation_block(0),
        orientation_block(6)[:-8],
        b"x" * 60_000,
    ],
)
def test_damaged_exif_is_ignored(tiff: bytes) -> None:
    assert look_at(add_exif(make_picture(), tiff)).orientation == 1


def test_60_kb_of_exif_are_accepted() -> None:
    assert look_at(add_exif(make_picture(), orientation_block(6) + bytes(60_000))).orientation == 6


def test_a_color_profile_is_kept_up_to_its_limit() -> None:
    profile = make_icc_profile()
    for image_format in FORMATS:
        content = make_picture(image_format, icc_profile=profile)
        assert look_at(content).has_icc
        assert not inspect(content, limits=replace(LIMITS, max_icc_bytes=100)).has_icc


def test_a_color_profile_that_inflates_without_end_is_ignored() -> None:
    bomb = zlib.compress(bytes(200 * 1024 * 1024), 9)
    tracemalloc.start()
    assert not look_at(add_png_chunks(make_picture("PNG"), png_chunk(b"iCCP", b"x\x00\x00" + bomb))).has_icc
    assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    tracemalloc.stop()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8",
        b"GIF89a" + bytes(20),
        b"II*\x00" + bytes(20),
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"8BPS\x00\x01",
        b"\x00\x00\x01\x00\x01\x00",
        b"icns" + bytes(8),
        b"\x00\x00\x00\x0cjP  \r\n\x87\n",
        b"BLP2" + bytes(20),
        b"\x01\xda\x01\x01" + bytes(20),
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"<svg><foreignObject/></svg>",
        b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
        b"<!DOCTYPE html><html></html>",
        b"RIFF\x00\x00\x00\x00WAVE",
    ],
)
def test_other_formats_are_rejected(content: bytes) -> None:
    assert error_of(content) == "format_not_accepted"


def test_unsupported_kinds_of_jpeg_are_rejected() -> None:
    content = make_picture()
    at = content.index(b"\xff\xc0")
    assert error_of(content[: at + 1] + b"\xc3" + content[at + 2 :]) == "format_not_accepted"
    assert error_of(content[: at + 4] + b"\x0c" + content[at + 5 :]) == "format_not_accepted"


@pytest.mark.parametrize("width_and_height", [(30_000, 30_000), (11_000, 11_000)])
def test_a_pixel_bomb_is_rejected_by_its_header(width_and_height: tuple[int, int]) -> None:
    content = make_flat_png(*width_and_height)
    assert len(content) < 200_000
    tracemalloc.start()
    assert error_of(content) == "image_too_many_pixels"
    assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    tracemalloc.stop()


def test_a_jpeg_with_too_few_bytes_for_its_pixels_is_truncated() -> None:
    content = make_picture()
    at = content.index(b"\xff\xc0") + 5
    assert error_of(content[:at] + struct.pack(">HH", 6000, 6000) + content[at + 4 :]) == "image_truncated"


def test_frames_count_as_pixels() -> None:
    limits = replace(LIMITS, max_pixels=60 * 2000 * 2000 - 1)
    assert error_of(make_webp_bomb(frames=60, side=2000), limits) == "image_too_many_pixels"
    assert inspect(make_webp_bomb(frames=60, side=2000), limits=ImageLimits(max_pixels=240_000_000)).frames == 60
    frames = png_chunk(b"acTL", struct.pack(">II", 60, 0))
    assert error_of(make_flat_png(2000, 2000, extra=[frames])) == "image_too_many_pixels"
    lying = [png_chunk(b"acTL", struct.pack(">II", 1, 0)), *[png_chunk(b"fcTL", bytes(26))] * 60]
    assert error_of(make_flat_png(2000, 2000, extra=lying)) == "image_too_many_pixels"


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_small_animations_are_counted(image_format: str) -> None:
    content = make_animation(image_format, frames=5, side=40)
    assert look_at(content).frames == 5
    assert error_of(content, replace(LIMITS, max_pixels=5 * 40 * 40 - 1)) == "image_too_many_pixels"


def test_an_animated_gif_is_rejected() -> None:
    assert error_of(make_animation("GIF", frames=60, side=200)) == "format_not_accepted"


@pytest.mark.parametrize(("width", "height"), [(1, 10_000), (10_000, 1), (21, 1), (12_001, 3000)])
def test_narrow_images_are_rejected(width: int, height: int) -> None:
    assert error_of(make_flat_png(width, height)) == "image_shape"


def test_an_empty_image_is_rejected() -> None:
    assert error_of(make_flat_png(0, 5)) == "image_shape"
    content = make_picture()
    at = content.index(b"\xff\xc0") + 5
    assert error_of(content[:at] + bytes(4) + content[at + 4 :]) == "image_shape"


@pytest.mark.parametrize("image_format", FORMATS)
def test_one_pixel_is_accepted(image_format: str) -> None:
    assert look_at(make_picture(image_format, 1, 1)).oriented_size == (1, 1)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"exif": b"Exif\x00\x00" + bytes(3000)}])
@pytest.mark.parametrize("image_format", FORMATS)
def test_every_truncation_is_detected(image_format: str, options: dict) -> None:
    content = make_picture(image_format, 400, 300, **options)
    for percent in range(1, 100):
        assert error_of(content[: len(content) * percent // 100]) in ("image_truncated", "format_not_accepted")
    assert error_of(content[:-1]) == "image_truncated"


def test_a_wrong_checksum_of_a_critical_chunk_is_rejected() -> None:
    content = make_flat_png(10, 10)
    assert error_of(content[:-16] + b"\xff" + content[-15:]) == "image_broken"


def test_a_scan_of_noise_is_rejected() -> None:
    content = make_picture(width=400, height=300)
    scan = content.index(b"\xff\xda") + 14
    noise = bytes((17 * n * n + 31 * n >> 3) % 256 for n in range(20_000))
    assert error_of(content[:scan] + noise + b"\xff\xd9") == "image_broken"


def test_too_many_chunks_are_rejected() -> None:
    chunks = png_chunk(b"tEXt", b"a\x00b") * 100_000
    assert error_of(add_png_chunks(make_picture("PNG"), chunks)) == "image_too_costly"
    segments = jpeg_segment(0xFE, b"a") * 100_000
    assert error_of(add_jpeg_segments(make_picture(), segments)) == "image_too_costly"


def test_a_jpeg_with_too_many_scans_is_rejected() -> None:
    content = make_picture(progressive=True)
    scan = content.rindex(b"\xff\xda")
    assert error_of(content[:scan] + content[scan:-2] * 200 + b"\xff\xd9") == "image_too_costly"


def test_texts_are_never_inflated() -> None:
    bomb = zlib.compress(bytes(100 * 1024 * 1024), 9)
    content = add_png_chunks(make_picture("PNG"), png_chunk(b"zTXt", b"Comment\x00\x00" + bomb))
    tracemalloc.start()
    look_at(content)
    assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
    tracemalloc.stop()


MAGICS = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\x00\x00\x00WEBP"]
SOUND = [make_picture(), make_picture(progressive=True), make_picture("PNG"), make_picture("WEBP")]
SOUND += [make_animation("WEBP", frames=2, side=8), make_picture("WEBP", lossless=True, exif=orientation_block(3))]


@settings(max_examples=400, deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\x00\x00\x00WEBP"])
)
@example(b"\xff" * 50, b"\xff\xd8\xff")
def test_random_bytes_raise_only_image_rejected(content: bytes, magic: bytes) -> None:
    with pytest.raises(ImageRejected):
        inspect(magic + content, limits=LIMITS)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(SOUND), st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=4)), max_size=5), st.data())
def test_a_damaged_image_raises_only_image_rejected(
    content: bytes, changes: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    damaged = bytearray(content)
    for position, replacement in changes:
        at = position % len(damaged)
        damaged[at : at + len(replacement)] = replacement
    cut = data.draw(st.integers(0, len(damaged)))
    for one in (bytes(damaged), bytes(damaged[:cut])):
        with contextlib.suppress(ImageRejected):
            assert isinstance(inspect(one, limits=LIMITS), ImageStructure)
