"""URLs of images. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from assets.album_art import MAX_URL_LENGTH
from outbound.errors import UrlNotAllowed
from outbound.urls import validate_remote_url

_APPLE_SIZE = re.compile(r"/(\d{1,5})x(\d{1,5})(bb|cc|sr)?(-\d{1,3})?\.(jpg|jpeg|png|webp)$", re.IGNORECASE)
# Keys under which clients have stored the URL in JSON documents.
_KNOWN_KEYS = ("albumArt", "albumArtUrl", "albumArtURL", "album_art", "artworkUrl", "artworkUrl100", "coverUrl")


def with_max_size(url: str, side_px: int) -> str:
    """Return a URL of Apple's image servers with the size `side_px`; any other URL unchanged.

    The last part of such a URL is the size of the image: `.../600x600bb.jpg`.
    """
    return _APPLE_SIZE.sub(lambda match: f"/{side_px}x{side_px}bb.{match[5]}", url, count=1)


def candidate_urls(album_art: str | None, documents: Iterable[Mapping[str, Any] | None]) -> list[str]:
    """Return the http(s) URLs of artwork in an asset: its own field first, then known keys of its JSON documents."""
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
