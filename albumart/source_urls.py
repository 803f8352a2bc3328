"""Addresses of pictures. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from assets.album_art import MAX_URL_LENGTH
from outbound.errors import UrlNotAllowed
from outbound.urls import validate_remote_url

_APPLE_SIZE = re.compile(r"/(\d{1,5})x(\d{1,5})(bb|cc|sr)?(-\d{1,3})?\.(jpg|jpeg|png|webp)$", re.IGNORECASE)
# Where clients of some time put an address, beside the asset's own field.
_KNOWN_KEYS = ("albumArt", "albumArtUrl", "albumArtURL", "album_art", "artworkUrl", "artworkUrl100", "coverUrl")


def with_max_size(url: str, side_px: int) -> str:
    """An address of Apple's picture servers, asking for a picture of at most `side_px`; any other as it is.

    The last part of such an address says what size is wanted: `.../600x600bb.jpg`.
    """
    return _APPLE_SIZE.sub(lambda match: f"/{side_px}x{side_px}bb.{match[5]}", url, count=1)


def candidate_urls(album_art: str | None, documents: Iterable[Mapping[str, Any] | None]) -> list[str]:
    """http(s) addresses of a picture an asset carries: its own field first, then known keys of its JSON documents."""
    found = [album_art or ""]
    for document in documents:
        for key in _KNOWN_KEYS if isinstance(document, Mapping) else ():
            value = document.get(key)  # type: ignore[union-attr]
            value = value.get("sourceUrl") if isinstance(value, Mapping) else value
            found.append(value if isinstance(value, str) else "")
    return [url for url in dict.fromkeys(found) if _is_remote_url(url)]


def _is_remote_url(text: str) -> bool:
    try:
        validate_remote_url(text, max_length=MAX_URL_LENGTH)
    except UrlNotAllowed:
        return False
    return True
