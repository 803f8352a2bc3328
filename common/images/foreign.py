"""Other kinds of files hidden in or behind a picture. Pure."""

from common.images.errors import ImageRefused

_STARTS = (b"MZ", b"\x7fELF", b"GIF8", b"\xca\xfe\xba\xbe", b"#!", b"ID3")
_ANYWHERE = (
    b"PK\x03\x04", b"PK\x05\x06", b"%pdf-", b"rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"<html", b"<script", b"<?php",
    b"<svg", b"<!doctype", b"<iframe", b"<%@",
)  # fmt: skip
_PDF_READERS_LOOK_AT = 1024


def refuse_foreign(piece: bytes, where: str) -> None:
    """Raises ImageRefused when `piece`, which is no part of the picture, is or holds another file."""
    lowered = piece.lower()
    if piece.lstrip(b"\0\r\n\t ").startswith(_STARTS) or any(mark.lower() in lowered for mark in _ANYWHERE):
        raise ImageRefused(f"Another file is hidden in the picture ({where})", code="image_polyglot")


def refuse_pdf(content: bytes) -> None:
    """PDF readers accept a file whose mark comes somewhere in its beginning."""
    if b"%pdf-" in content[:_PDF_READERS_LOOK_AT].lower():
        raise ImageRefused("The picture is a PDF at the same time", code="image_polyglot")
