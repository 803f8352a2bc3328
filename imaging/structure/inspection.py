"""Tell a picture by its bytes, refuse what must not reach a decoder, and take its metadata away."""

from imaging.errors import ImageRejected
from imaging.structure import jpeg, png, webp
from imaging.structure.limits import ImageLimits, ImageStructure
from imaging.structure.polyglots import reject_pdf_header

# What people send instead, to name it in the refusal.
_OTHER_FORMATS: dict[bytes, str] = {
    b"GIF8": "a GIF",
    b"II*\x00": "a TIFF",
    b"MM\x00*": "a TIFF",
    b"%!PS": "an EPS",
    b"\xc5\xd0\xd3\xc6": "an EPS",
    b"8BPS": "a Photoshop file",
    b"\x00\x00\x01\x00": "an icon",
    b"icns": "an icon",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000",
    b"\xff\x4f\xff\x51": "a JPEG 2000",
    b"BM": "a BMP",
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive",
}


def inspect(content: bytes, *, limits: ImageLimits) -> ImageStructure:
    """Raises ImageRejected, and nothing else, for whatever is not a sound picture of a format we take.

    No decoder runs. Time grows with the length of `content`, memory hardly.
    """
    if content.startswith(jpeg.MAGIC):
        structure = jpeg.inspect_jpeg(content, limits=limits)
    elif content.startswith(png.MAGIC):
        structure = png.inspect_png(content, limits=limits)
    elif webp.is_webp(content):
        structure = webp.inspect_webp(content, limits=limits)
    else:
        raise ImageRejected(
            f"The file is {_name_of_format(content)}, not a JPEG, PNG or WebP.", code="format_not_accepted"
        )
    reject_pdf_header(content)
    return structure


def strip_metadata(content: bytes, structure: ImageStructure, *, limits: ImageLimits) -> bytes | None:
    """The same picture, bit for bit the same coded data, without EXIF, XMP, comments, previews and what trails it.

    Colour profiles up to the limit stay, of a JPEG its orientation too. None where a picture without metadata would be
    another one, or one that browsers show wrongly: animations, CMYK, PNG and WebP with an orientation.
    """
    if structure.frames > 1 or structure.is_cmyk:
        return None
    if structure.orientation != 1 and structure.format != "JPEG":
        return None
    return strip_to_image_data(content, structure, limits=limits)


def strip_to_image_data(content: bytes, structure: ImageStructure, *, limits: ImageLimits) -> bytes:
    """What a decoder needs of `content`, for any picture that `inspect` takes; orientation stays in a JPEG only."""
    if structure.format == "JPEG":
        return jpeg.strip_jpeg(content, orientation=structure.orientation, limits=limits)
    if structure.format == "PNG":
        return png.strip_png(content, limits=limits)
    return webp.strip_webp(content, limits=limits)


def _name_of_format(content: bytes) -> str:
    for magic, name in _OTHER_FORMATS.items():
        if content.startswith(magic):
            return name
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml")):
        return "an SVG" if b"<svg" in start else "an XML document"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    return "of an unknown kind" if content else "empty"
