"""Decode an image once and render smaller ones. Runs decoders, so only `imaging.sandbox_worker` may import it.

libvips decodes and makes the largest rendition; Pillow makes the smaller ones from it, converts colors and encodes.
"""

import io
from collections import defaultdict

from PIL import Image, ImageCms, ImageFilter, ImageStat

from imaging.blurhash import encode_blurhash
from imaging.errors import ImageRejected
from imaging.renditions import RenderedImage, RenderSpec, Rendition
from imaging.resizing import DecodingError, decode, fit, prepare
from imaging.structure import ImageStructure, inspect, strip_to_image_data

_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SRGB = ImageCms.createProfile("sRGB")
_USUAL_SRGB = b"sRGB IEC61966-2.1"  # name of most profiles; conversion would change nothing
_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
_SAMPLE_PX = 24  # longer side of the sample for blurhash and dominant color


def render(content: bytes, spec: RenderSpec) -> RenderedImage:
    """Render an image. Raises ImageRejected if its structure is not accepted or it cannot be decoded completely."""
    structure = inspect(content, limits=spec.limits)
    try:
        return _render(content, structure, spec)
    except MemoryError as error:
        raise _out_of_memory() from error
    except DecodingError as error:
        if "out of memory" in str(error):
            raise _out_of_memory() from error
        raise ImageRejected("The file is damaged: its image cannot be decoded.", code="image_broken") from error


def warm_up() -> None:
    """Import and prepare before the first fork what each image needs. Decodes nothing: see `imaging.resizing`."""
    prepare()
    _as_jpeg(Image.new("RGB", (8, 8)), RenderSpec.quality)


def _render(content: bytes, structure: ImageStructure, spec: RenderSpec) -> RenderedImage:
    size = (structure.width, structure.height)
    sides = sorted(set(spec.sides_px), reverse=True)
    largest = fit(size, sides[0])
    # The decoder gets no metadata, so that bugs in its metadata parsers cannot be exploited.
    image_data = strip_to_image_data(content, structure, limits=spec.limits)
    image, profile = decode(image_data, structure, size if spec.reencode_original else largest, spec.background)
    smaller = _upright(_in_srgb(image, profile), structure)
    original = _as_jpeg(smaller, spec.quality) if spec.reencode_original else None
    rendered = {}
    for side in sides:
        smaller = smaller.resize(fit(smaller.size, side), Image.Resampling.LANCZOS)
        rendered[side] = smaller
    sample = smaller.resize(fit(smaller.size, _SAMPLE_PX), Image.Resampling.BOX).convert("RGB")
    pixels = list(sample.get_flattened_data())
    luma = rendered[sides[0]].convert("L")
    width, height = structure.oriented_size
    return RenderedImage(
        renditions=tuple(_rendition(side, rendered[side], spec.quality) for side in spec.sides_px),
        original=original,
        width=width,
        height=height,
        dominant_color=_dominant_color(pixels),
        blurhash=encode_blurhash(pixels, *sample.size),
        luma_deviation=round(ImageStat.Stat(luma).stddev[0], 2),
        sharpness=_sharpness(luma),
    )


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to sRGB. An invalid or unsuitable profile is ignored."""
    if profile and _USUAL_SRGB not in profile:
        try:
            described = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(image, described, _SRGB, outputMode="RGB") or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image.convert("RGB") if image.mode == "CMYK" else image


def _upright(image: Image.Image, structure: ImageStructure) -> Image.Image:
    transposition = _TRANSPOSITIONS.get(structure.orientation)
    return image if transposition is None else image.transpose(transposition)


def _as_jpeg(image: Image.Image, quality: int) -> bytes:
    output = io.BytesIO()
    image.info = {}
    image.save(output, "JPEG", quality=quality, subsampling="4:2:0")
    return output.getvalue()


def _rendition(side_px: int, image: Image.Image, quality: int) -> Rendition:
    return Rendition(side_px, image.width, image.height, "image/jpeg", _as_jpeg(image, quality))


def _sharpness(luma: Image.Image) -> float:
    """Measure the middle quarter, which usually contains the subject."""
    width, height = luma.size
    middle = luma.crop((width // 4, height // 4, width - width // 4, height - height // 4))
    if min(middle.size) < 3:
        return 0.0
    edges = middle.filter(_LAPLACIAN).crop((1, 1, middle.width - 1, middle.height - 1))  # the border is not filtered
    return round(ImageStat.Stat(edges).stddev[0], 2)


def _dominant_color(pixels: list[tuple[int, int, int]]) -> str:
    """Return the mean of the largest group of similar pixels."""
    groups: defaultdict[tuple[int, int, int], list[tuple[int, int, int]]] = defaultdict(list)
    for pixel in pixels:
        groups[pixel[0] >> 5, pixel[1] >> 5, pixel[2] >> 5].append(pixel)
    largest = max(groups.values(), key=len)
    return "#" + "".join(f"{round(sum(channel) / len(largest)):02x}" for channel in zip(*largest, strict=True))


def _out_of_memory() -> ImageRejected:
    return ImageRejected("The image takes too much memory to decode.", code="image_too_costly")
