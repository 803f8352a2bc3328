"""The form encoding of the legacy clients: JSON in form parts, repeated parts, lists in four spellings."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

# Some clients send these fields; they are ignored.
IGNORED_FIELDS = frozenset(
    {
        "name", "nnaAddress", "nna_address", "metadata", "friendlyName", "aiDescription", "extractedSongData",
        "musicMetadata",
    }
)  # fmt: skip
_LIST_FIELDS = ("tags", "components")
_JSON_FIELDS = ("trainingData", "rights", "aiMetadata", "albumArt")


def flatten_form(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return a multipart form or a JSON object as plain values, with lists and JSON strings parsed.

    Raises ValidationError naming the part whose JSON does not parse.
    """
    if not isinstance(form, QueryDict):
        return {name: _read_part(name, value) for name, value in form.items()}
    flat: dict[str, Any] = {}
    for part, values in form.lists():
        name = part.removesuffix("[]")
        if any("\ufffd" in value for value in values):  # the form parser replaces bytes that are not UTF-8
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
    """Parse a JSON string; "" is None. `albumArt` may also be a plain URL."""
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
    """Read `["a","b"]`, `a,b`, `a` and "" as lists."""
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
