"""Rules for the creator description of an asset. Pure."""

import re

MAX_CREATOR_DESCRIPTION_LENGTH = 500  # also a constraint of the table

_GENERATED = re.compile(r"Asset (?P<text>\S.*?) ?\([A-Z]\.[A-Z0-9]{3}\.[A-Z0-9]{3}\)", re.DOTALL)
_SONG_LEAD = re.compile(r"(?P<text>[^.\n]{1,150}? by [^.\n]{1,150})(?:\.|$)")


def normalize_creator_description(incoming: str | None, *, stored: str | None, name: str) -> str | None:
    """Return the creator description to store when an edit form sends `incoming`; None for empty text.

    The frontend fills an empty box with the asset's name and sends the name back on save. A name sent over an empty
    value is therefore ignored.
    """
    if incoming and stored is None and _is_name(incoming.strip(), name):
        return None
    return incoming if incoming and incoming.strip() else None


def extract_creator_description(description: str, *, name: str, layer: str) -> str | None:
    """Return the creator's text that a legacy description contains, or None.

    The first frontend wrote "Asset <text> (L.CAT.SUB)" for assets without a description. Staff began the descriptions
    of songs with "<Song> by <Artist>."
    """
    generated = _GENERATED.fullmatch(description.strip())
    if generated:
        text = " ".join(generated["text"].split())
        return None if _is_name(text, name) or len(text) > MAX_CREATOR_DESCRIPTION_LENGTH else text
    lead = _SONG_LEAD.match(description.strip()) if layer == "G" else None
    return " ".join(lead["text"].split()) if lead else None


def _is_name(text: str, name: str) -> bool:
    return text.upper() in {name.upper(), name.partition(":")[0].upper()}
