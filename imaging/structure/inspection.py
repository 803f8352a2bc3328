"""Identify an image by its bytes, reject files that must not reach a decoder, and remove metadata."""

from imaging.errors import ImageRejected
from imaging.structure import jpeg, png, webp
from imaging.structure.limits import ImageLimits, ImageStructure
from imaging.structure.polyglots import reject_pdf_header

# Other formats, named in the error message.
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
    """Return the structure of an image. Raises only ImageRejected, for invalid images and other formats.

    Runs no decoder. The time is linear in the length of `content`; little memory is used.
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
    """Remove EXIF, XMP, comments, previews and trailing data. The coded image data stays the same.

    Color profiles up to the limit and the orientation of a JPEG stay. Return None if browsers would show the result
    differently: animations, CMYK, and PNG or WebP with an orientation.
    """
    if structure.frames > 1 or structure.is_cmyk:
        return None
    if structure.orientation != 1 and structure.format != "JPEG":
        return None
    return strip_to_image_data(content, structure, limits=limits)


def strip_to_image_data(content: bytes, structure: ImageStructure, *, limits: ImageLimits) -> bytes:
    """Return the parts that a decoder needs. The orientation stays only in a JPEG."""
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
