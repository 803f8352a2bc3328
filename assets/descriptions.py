"""Rules about the texts of an asset. Pure."""

import re
from urllib.parse import urlsplit

from common.errors import InvalidInput

MAX_DATA_URI_CHARS = 2 * 1024 * 1024 * 4 // 3 + 64  # 2 MiB of picture in base64
MAX_URL_CHARS = 2048
_DATA_URI = re.compile(r"data:image/(jpeg|png|webp|gif);base64,[A-Za-z0-9+/=\s]+")

_MAX_WORDS_CHARS = 500
_GENERATED = re.compile(r"Asset (?P<words>\S.*?) ?\([A-Z]\.[A-Z0-9]{3}\.[A-Z0-9]{3}\)", re.DOTALL)
_SONG_LEAD = re.compile(r"(?P<words>[^.\n]{1,150}? by [^.\n]{1,150})(?:\.|$)")


def normalize_creator_description(incoming: str | None, *, stored: str | None, name: str) -> str | None:
    """What the creator's words become when an edit form sends `incoming`.

    The frontend fills its empty box with the asset's own name and sends that back on save: a name over an
    empty value is not somebody's words and is ignored. Empty text means "none".
    """
    if incoming and stored is None and incoming.strip().upper() in {name.upper(), name.partition(":")[0].upper()}:
        return None
    return incoming if incoming and incoming.strip() else None


def extract_creator_description(description: str, *, name: str, layer: str) -> str | None:
    """The creator's words that survive inside a legacy description; None where there are none.

    The first frontend wrote "Asset <words> (L.CAT.SUB)" where nobody described an asset; staff began those of songs
    with "<Song> by <Artist>."
    """
    generated = _GENERATED.fullmatch(description.strip())
    if generated:
        words = " ".join(generated["words"].split())
        is_name = words.upper() in {name.upper(), name.partition(":")[0].upper()}
        return None if is_name or len(words) > _MAX_WORDS_CHARS else words
    lead = _SONG_LEAD.match(description.strip()) if layer == "G" else None
    return " ".join(lead["words"].split()) if lead else None


def check_album_art(value: object) -> str | None:
    """An https/http address or an image data URI of at most 2 MiB, as a string; None for "no picture".

    An object is taken for the sake of early drafts of the API: its `sourceUrl` counts.
    """
    if isinstance(value, dict):
        value = value.get("sourceUrl") or value.get("url")
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidInput("albumArt must be a string or an object with sourceUrl", field="albumArt")
    if value.startswith("data:"):
        if len(value) > MAX_DATA_URI_CHARS or not _DATA_URI.fullmatch(value):
            raise InvalidInput("albumArt must be an image data URI of at most 2 MiB", field="albumArt")
        return value
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise InvalidInput(f"albumArt is not an address: {error}", field="albumArt") from error
    if parts.scheme not in ("https", "http") or not parts.hostname or len(value) > MAX_URL_CHARS:
        raise InvalidInput(
            f"albumArt must be an http(s) address of at most {MAX_URL_CHARS} characters", field="albumArt"
        )
    if not value.isprintable() or " " in value:
        raise InvalidInput("albumArt holds characters that no address has", field="albumArt")
    return value
