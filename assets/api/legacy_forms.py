"""The dialect of the old clients: JSON as strings in form parts, repeated parts, lists in four spellings."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

# Sent by some client at some time, never used: dropped without a word.
IGNORED_FIELDS = frozenset(
    {
        "name", "nnaAddress", "nna_address", "metadata", "friendlyName", "aiDescription", "extractedSongData",
        "musicMetadata",
    }
)  # fmt: skip
_LIST_FIELDS = ("tags", "components")
_JSON_FIELDS = ("trainingData", "rights", "aiMetadata", "albumArt")


def flatten_form(form: Mapping[str, Any]) -> dict[str, Any]:
    """A multipart form (or a JSON object) as plain values: lists as lists, JSON strings as what they say.

    Raises ValidationError naming the part whose JSON does not parse.
    """
    if not isinstance(form, QueryDict):
        return {name: _read_part(name, value) for name, value in form.items()}
    flat: dict[str, Any] = {}
    for part, values in form.lists():
        name = part.removesuffix("[]")
        if any("\ufffd" in value for value in values):  # what the form parser leaves of bytes that are no text
            raise ValidationError({name: [f"{name} is not valid UTF-8 text"]})
        if name in _LIST_FIELDS:
            flat[name] = [*flat.get(name, []), *(item for value in values for item in read_list(value, name))]
        else:
            flat[part] = _read_part(part, values[-1])
    return flat


def _read_part(name: str, value: Any) -> Any:
    if name in _LIST_FIELDS and isinstance(value, str):
        return read_list(value, name)
    if name in _JSON_FIELDS and isinstance(value, str):
        return read_json(value, name)
    return value


def read_json(text: str, name: str) -> Any:
    """An object out of its string; "" is "none". A picture's address may stand as it is."""
    text = text.strip()
    if not text or text == "null":
        return None
    if name == "albumArt" and not text.startswith("{"):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValidationError({name: [f"{name} is not valid JSON: {error}"]}) from error


def read_list(value: Any, name: str) -> list[Any]:
    """`["a","b"]`, `a,b`, `a` and "" as lists."""
    if not isinstance(value, str):
        return [value]
    text = value.strip()
    if text.startswith("["):
        try:
            items = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise ValidationError({name: [f"{name} is not valid JSON: {error}"]}) from error
        return items if isinstance(items, list) else [items]
    return [item.strip() for item in text.split(",") if item.strip()]
