"""Decode a picture and make others of it. Runs in the guarded child only: here decoders meet bytes nobody trusts."""

import io
import warnings

from PIL import Image, ImageCms, ImageFile, ImageFilter, ImageStat

from common.images.blurhash import encode
from common.images.errors import ImageRefused, broken
from common.images.parts import RenderedImage, RenderWish, Rendition

FORMATS = ("JPEG", "PNG", "WEBP")
# Decoded at least this many times larger than wanted: less, and the shortcut of the decoder shows.
_GAP = 2.0
_TURNS = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT,), 3: (Image.Transpose.ROTATE_180,), 4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,), 6: (Image.Transpose.ROTATE_270,), 7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_90,),
}  # fmt: skip
_HASH_SIDE_PX = 20
_SRGB = ImageCms.createProfile("sRGB")


def render(content: bytes, wish: RenderWish) -> RenderedImage:
    """Everything the wish names, of one decode. Raises ImageRefused (image_broken); MemoryError."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = wish.max_pixels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _render(content, wish)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise ImageRefused("The picture has too many pixels", code="image_too_many_pixels") from error
        except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, OverflowError) as error:
            raise broken(f"{type(error).__name__} while it was decoded") from error


def _render(content: bytes, wish: RenderWish) -> RenderedImage:
    image = Image.open(io.BytesIO(content), formats=FORMATS)
    width, height = image.size
    turn = _turn_of(image)
    profile = image.info.get("icc_profile")
    largest = wish.sides_px[0]
    if image.format == "JPEG" and not wish.wants_original:
        image.draft(None, (int(largest * _GAP), int(largest * _GAP)))
    image.load()
    original = None
    if wish.wants_original:
        whole = _upright(_flatten(_to_srgb(_readable(image), profile), wish.background), turn)
        original = _encode(whole, max(wish.quality, 90))
        width, height = whole.size
        first = _shrink(whole, largest)
    else:
        if turn in (5, 6, 7, 8):
            width, height = height, width
        # Small first: colours and corners of a small picture cost little.
        first = _upright(_flatten(_to_srgb(_shrink(_readable(image), largest), profile), wish.background), turn)
    pictures = [first]
    for side_px in wish.sides_px[1:]:
        pictures.append(_shrink(pictures[-1], side_px))
    grey = first.convert("L")
    return RenderedImage(
        width=width,
        height=height,
        renditions=tuple(
            Rendition(side_px, *picture.size, _encode(picture, wish.quality))
            for side_px, picture in zip(wish.sides_px, pictures, strict=True)
        ),
        original=original,
        dominant_colour=_dominant_colour(pictures[-1]),
        blurhash=_blurhash(pictures[-1]),
        luma_deviation=round(ImageStat.Stat(grey).stddev[0], 2),
        sharpness=round(ImageStat.Stat(grey.filter(ImageFilter.FIND_EDGES)).stddev[0], 2),
    )


def _turn_of(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # corrupt EXIF raises whatever it likes and says nothing about the picture
        return 1


def _readable(image: Image.Image) -> Image.Image:
    """In a mode that can be resized with care: no palette, no 16 bits, alpha apart."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("P", "PA", "LA", "La", "1") or "transparency" in image.info:
        has_alpha = image.mode in ("PA", "LA", "La") or "transparency" in image.info
        return image.convert("RGBA" if has_alpha else "RGB" if image.mode == "P" else "L")
    return image


def _shrink(image: Image.Image, side_px: int) -> Image.Image:
    """The longest side to `side_px`, never enlarged."""
    width, height = image.size
    if max(width, height) <= side_px:
        return image
    scale = side_px / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=_GAP)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as sRGB has them. A profile that is no good is as none."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha else image
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            colours = ImageCms.profileToProfile(colours, source, _SRGB, outputMode="RGB") or colours
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            colours = colours.convert("RGB")
    colours = colours.convert("RGB")
    if alpha is not None:
        colours.putalpha(alpha)
    return colours


def _flatten(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, background)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _upright(image: Image.Image, turn: int) -> Image.Image:
    for method in _TURNS.get(turn, ()):
        image = image.transpose(method)
    return image


def _encode(image: Image.Image, quality: int) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=quality, icc_profile=None, exif=b"")
    return content.getvalue()


def _dominant_colour(image: Image.Image) -> str:
    """The most frequent of eight colours that stand for all."""
    few = image.quantize(8, Image.Quantize.MEDIANCUT)
    _, index = max(few.getcolors())
    red, green, blue = few.getpalette()[index * 3 : index * 3 + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _blurhash(image: Image.Image) -> str:
    small = image.resize((_HASH_SIDE_PX, _HASH_SIDE_PX), Image.Resampling.BOX)
    return encode(list(small.getdata()), _HASH_SIDE_PX, _HASH_SIDE_PX)
