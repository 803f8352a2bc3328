"""Addresses of pictures. Pure."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any

from common.errors import InvalidInput

_APPLE_SIZE = re.compile(r"/(\d{1,5})x(\d{1,5})(bb|cc|sr)?(-\d{1,3})?\.(jpg|jpeg|png|webp)$", re.IGNORECASE)
_DATA_URI = re.compile(r"data:(image/[a-z0-9.+-]+);base64,", re.IGNORECASE)
# Where clients of some time put an address, beside the asset's own field.
_KNOWN_KEYS = ("albumArt", "albumArtUrl", "albumArtURL", "album_art", "artworkUrl", "artworkUrl100", "coverUrl")


def with_max_size(url: str, side_px: int) -> str:
    """An address of Apple's picture servers, asking for a picture of at most `side_px`; any other as it is.

    The last part of such an address says what size is wanted: `.../600x600bb.jpg`.
    """
    return _APPLE_SIZE.sub(lambda match: f"/{side_px}x{side_px}bb.{match[5]}", url, count=1)


def is_data_uri(text: str) -> bool:
    return text[:5].lower() == "data:"


def decode_data_uri(text: str) -> tuple[bytes, str]:
    """(bytes, declared type) of a base64 data URI. Raises Invalid."""
    match = _DATA_URI.match(text)
    if match is None:
        raise InvalidInput("albumArt must be an image data URI in base64", field="albumArt")
    try:
        return base64.b64decode("".join(text[match.end() :].split()), validate=True), match[1].lower()
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"albumArt is no valid base64: {error}", field="albumArt") from error


def candidate_urls(album_art: str | None, documents: Iterable[Mapping[str, Any] | None]) -> list[str]:
    """http(s) addresses of a picture an asset carries: its own field first, then known keys of its JSON documents."""
    found = [album_art or ""]
    for document in documents:
        for key in _KNOWN_KEYS if isinstance(document, Mapping) else ():
            value = document.get(key)  # type: ignore[union-attr]
            value = value.get("sourceUrl") if isinstance(value, Mapping) else value
            found.append(value if isinstance(value, str) else "")
    return [url for url in dict.fromkeys(found) if url.startswith(("https://", "http://")) and len(url) <= 2048]
