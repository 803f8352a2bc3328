"""Accepted values of `albumArt`: an http(s) URL or an image as a data URI. Pure."""

import base64
import binascii
import re

from common.errors import InvalidInput
from outbound.errors import UrlNotAllowed
from outbound.urls import validate_remote_url

MAX_DATA_URI_LENGTH = 2 * 1024 * 1024 * 4 // 3 + 64  # 2 MiB of image bytes in base64
MAX_URL_LENGTH = 2048
_DATA_URI = re.compile(r"data:(?P<type>image/(?:jpeg|png|webp|gif));base64,(?P<content>[A-Za-z0-9+/=\s]+)")


def normalize_album_art(value: object) -> str | None:
    """Return a URL, or an image data URI of at most 2 MiB, as text; None for no album art.

    Early drafts of the API sent an object; its `sourceUrl` is used. Raises InvalidInput naming `albumArt`.
    """
    if isinstance(value, dict):
        value = value.get("sourceUrl") or value.get("url")
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidInput("albumArt must be a string or an object with sourceUrl", field="albumArt")
    if is_data_uri(value):
        if len(value) > MAX_DATA_URI_LENGTH or not _DATA_URI.fullmatch(value):
            raise InvalidInput("albumArt must be an image data URI of at most 2 MiB", field="albumArt")
        return value
    try:
        validate_remote_url(value, max_length=MAX_URL_LENGTH)
    except UrlNotAllowed as error:
        raise InvalidInput(_message(error), field="albumArt") from error
    return value


def _message(error: UrlNotAllowed) -> str:
    """Return the text of the API contract for an error of `validate_remote_url`."""
    if error.code == "url_characters":
        return "albumArt holds characters that no address has"
    if error.code == "url_unreadable":
        return f"albumArt is not an address: {error.message}"
    return f"albumArt must be an http(s) address of at most {MAX_URL_LENGTH} characters"


def is_data_uri(text: str) -> bool:
    return text.startswith("data:")


def decode_data_uri(text: str) -> tuple[bytes, str]:
    """Return the bytes and the declared type of an image data URI. Raises InvalidInput naming `albumArt`."""
    match = _DATA_URI.fullmatch(text)
    if match is None:
        raise InvalidInput("albumArt must be an image data URI in base64", field="albumArt")
    try:
        return base64.b64decode("".join(match["content"].split()), validate=True), match["type"]
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"albumArt is no valid base64: {error}", field="albumArt") from error
