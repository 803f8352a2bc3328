"""Decode an image once and render smaller ones. Runs decoders, so only `imaging.sandbox_worker` may import it."""

import io
import struct
import warnings
import zlib
from collections import defaultdict

from PIL import Image, ImageCms, ImageFile, ImageFilter, ImageStat, WebPImagePlugin

from imaging.blurhash import encode_blurhash
from imaging.errors import ImageRejected
from imaging.renditions import RenderedImage, RenderSpec, Rendition
from imaging.resizing import fit, shrink, shrink_on_load
from imaging.structure import ImageStructure, inspect, strip_to_image_data

# The exceptions that Pillow raises for damaged files. Others are defects of this code and become image_crashed.
_DAMAGE = (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, struct.error, zlib.error)
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FORMATS = ["JPEG", "PNG", WebPImagePlugin.WebPImageFile.format]
_SRGB = ImageCms.createProfile("sRGB")
_USUAL_SRGB = b"sRGB IEC61966-2.1"  # name of most profiles; conversion would change nothing
_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
_SAMPLE_PX = 24  # longer side of the sample for blurhash and dominant color

# Import the plugins before forks, which would each import them again.
Image.preinit()
ImageFile.LOAD_TRUNCATED_IMAGES = False
Image.core.set_blocks_max(4)  # blocks of 16 MiB: planes reuse memory, so the kernel clears it only once
warnings.simplefilter("error", Image.DecompressionBombWarning)


def render(content: bytes, spec: RenderSpec) -> RenderedImage:
    """Render an image. Raises ImageRejected if its structure is not accepted or it cannot be decoded completely."""
    structure = inspect(content, limits=spec.limits)
    Image.MAX_IMAGE_PIXELS = spec.limits.max_pixels
    try:
        return _render(content, structure, spec)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ImageRejected("The image has too many pixels.", code="image_too_many_pixels") from error
    except MemoryError as error:
        raise _out_of_memory() from error
    except _DAMAGE as error:
        if "memory" in str(error):  # Pillow's decoders report it as an OSError
            raise _out_of_memory() from error
        raise ImageRejected("The file is damaged: its image cannot be decoded.", code="image_broken") from error


def warm_up() -> None:
    """Render a small image of each format, so that lazy imports of Pillow happen before the first fork."""
    for image_format in _FORMATS:
        content = io.BytesIO()
        Image.new("RGB", (64, 64)).save(content, image_format)
        render(content.getvalue(), RenderSpec(sides_px=(32, 16), reencode_original=True))


def _render(content: bytes, structure: ImageStructure, spec: RenderSpec) -> RenderedImage:
    size = (structure.width, structure.height)
    sides = sorted(set(spec.sides_px), reverse=True)
    largest = fit(size, sides[0])
    # The decoder gets no metadata, so that bugs in its metadata parsers cannot be exploited.
    image_data = strip_to_image_data(content, structure, limits=spec.limits)
    with Image.open(io.BytesIO(image_data), formats=_FORMATS) as image:
        profile = image.info.get("icc_profile") if structure.has_icc else None
        if not spec.reencode_original:
            shrink_on_load(image, largest)
        image.load()
        opaque = _without_alpha(image, spec.background)
    original = None
    if spec.reencode_original:
        original = _as_jpeg(_upright(_in_srgb(opaque, profile), structure), spec.quality)
    rendered = {}
    smaller = _upright(_in_srgb(shrink(opaque, largest, full_size=size), profile), structure)
    for side in sides:
        smaller = shrink(smaller, fit(smaller.size, side), full_size=smaller.size)
        rendered[side] = smaller
    sample = smaller.resize(fit(smaller.size, _SAMPLE_PX), Image.Resampling.BOX).convert("RGB")
    pixels = list(sample.get_flattened_data())
    luma = rendered[sides[0]].getchannel(0) if smaller.mode == "YCbCr" else rendered[sides[0]].convert("L")
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


def _without_alpha(image: Image.Image, background: str) -> Image.Image:
    """Convert to L, RGB, YCbCr or CMYK, with transparent parts on the background."""
    if image.mode.startswith("I"):  # 16-bit grayscale; Pillow would clip it at 255
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        flat = Image.new("RGB", image.size, background)
        flat.paste(image, mask=image.getchannel("A"))
        return flat
    if image.mode in ("L", "RGB", "YCbCr", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to sRGB. An invalid or unsuitable profile is ignored."""
    if profile and _USUAL_SRGB not in profile:
        source = image.convert("RGB") if image.mode == "YCbCr" else image
        try:
            described = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(source, described, _SRGB, outputMode="RGB") or source
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
