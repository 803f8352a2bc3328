"""Detect other files in an image (polyglots), which browsers, interpreters or archivers would accept."""

import re

from imaging.errors import ImageRejected

# At the start of a part, after spaces, zeros and a byte order mark.
_BEGINNINGS: dict[bytes, str] = {
    b"PK\x03\x04": "a ZIP archive",
    b"PK\x05\x06": "a ZIP archive",
    b"MZ": "a Windows program",
    b"\x7fELF": "a program",
    b"\xca\xfe\xba\xbe": "a program",
    b"\xcf\xfa\xed\xfe": "a program",
    b"\xce\xfa\xed\xfe": "a program",
    b"#!": "a script",
    b"%!PS": "a PostScript file",
    b"{\\rtf": "an RTF document",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Office document",
    b"\x1f\x8b\x08": "a gzip file",
    b"BZh9": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"GIF87a": "a GIF",
    b"GIF89a": "a GIF",
    b"8BPS": "a Photoshop file",
}

# Anywhere. Short signatures are confirmed by the following bytes, because megabytes of data contain any four bytes.
_SIGNATURES: tuple[tuple[bytes, re.Pattern[bytes], str], ...] = (
    (b"PK\x03\x04", re.compile(rb"PK\x03\x04[\x00-\x3f][\x00-\x03]"), "a ZIP archive"),
    (b"PK\x05\x06", re.compile(rb"PK\x05\x06\x00\x00\x00\x00"), "a ZIP archive"),
    (b"%PDF-", re.compile(rb"%PDF-[0-9]"), "a PDF"),
    (b"Rar!\x1a\x07", re.compile(rb"Rar!"), "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", re.compile(rb"7z"), "a 7z archive"),
    (b"\x7fELF", re.compile(rb"\x7fELF[\x01\x02][\x01\x02]\x01"), "a program"),
    (b"GIF87a", re.compile(rb"GIF87a"), "a GIF"),
    (b"GIF89a", re.compile(rb"GIF89a"), "a GIF"),
    (b"!This program cannot be run", re.compile(rb"!"), "a Windows program"),
)
# The same, case-insensitive.
_MARKUP: tuple[tuple[bytes, re.Pattern[bytes], str], ...] = (
    (b"<html", re.compile(rb"<html[\s>/]"), "a web page"),
    (b"<!doctype", re.compile(rb"<!doctype\s"), "a web page"),
    (b"<script", re.compile(rb"<script[\s>/]"), "a script"),
    (b"<iframe", re.compile(rb"<iframe[\s>/]"), "a web page"),
    (b"<?php", re.compile(rb"<\?php\b"), "a script"),
    (b"<svg", re.compile(rb"<svg[\s>/]"), "an SVG"),
    (b"<svg:svg", re.compile(rb"<svg:svg[\s>/]"), "an SVG"),
)
_PDF_HEADER_BYTES = 1024  # PDF readers search the header in these first bytes
_BLANKS = b"\x00\t\n\r \xef\xbb\xbf"


def reject_pdf_header(content: bytes) -> None:
    if b"%PDF-" in content[:_PDF_HEADER_BYTES]:
        raise _hidden("a PDF")


def reject_embedded_files(part: bytes) -> None:
    """Raise ImageRejected if a comment, metadata segment or trailing part contains another file.

    The time is linear in the length of `part`.
    """
    start = part[:256].lstrip(_BLANKS)
    for beginning, kind in _BEGINNINGS.items():
        if start.startswith(beginning):
            raise _hidden(kind)
    _reject_signatures(part, _SIGNATURES)
    if b"<" in part:
        _reject_signatures(part.lower(), _MARKUP)


def _reject_signatures(part: bytes, marks: tuple[tuple[bytes, re.Pattern[bytes], str], ...]) -> None:
    for mark, confirmed, kind in marks:
        position = part.find(mark)
        while position >= 0:
            if confirmed.match(part, position):
                raise _hidden(kind)
            position = part.find(mark, position + len(mark))


def _hidden(kind: str) -> ImageRejected:
    return ImageRejected(f"The image contains another file: {kind}.", code="image_polyglot")
