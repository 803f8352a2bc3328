"""The legacy database's export, read: MongoDB Extended JSON, a document a line or one array. Pure.

A document becomes a `LegacyAsset` with our types; what was not as it should be, but does no harm, is an oddity.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from assets.ai_metadata import validate_ai_metadata
from assets.descriptions import check_album_art
from common.errors import InvalidInput
from common.public_ids import is_public_id
from common.text_validation import clean_text, validate_json
from taxonomy.addresses import HumanFriendlyName, parse_hfn, split_composite
from taxonomy.errors import InvalidAddress

MAX_AI_METADATA_BYTES = 64 * 1024


class InvalidRow(InvalidInput):
    """The document cannot be an asset; the message says why."""

    code = "row_rejected"


@dataclass
class LegacyAsset:
    """One document in our types. `warnings` are sentences; `normalised` counts what every export has."""

    public_id: str
    name: str
    hfn: HumanFriendlyName
    address: str
    category: str
    subcategory: str
    media_url: str
    source: str
    description: str
    tags: list[str]
    training_data: dict[str, Any] | None
    rights: dict[str, Any] | None
    components: list[str]
    registered_by: str
    created_at: datetime
    updated_at: datetime
    revision: int
    creator_description: str | None
    album_art: str | None
    ai_metadata: dict[str, Any] | None
    warnings: list[str] = field(default_factory=list)
    normalised: list[str] = field(default_factory=list)


def iter_documents(chunks: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """(position from 1, document) for each document; a `InvalidRow` in place of one that is no JSON.

    Holds one document in memory, whichever of the two layouts the text has.
    """
    decoder = json.JSONDecoder()
    buffer = ""
    position = 0
    is_array: bool | None = None
    for chunk in chunks:
        buffer += chunk
        if is_array is None:
            buffer = buffer.lstrip("\ufeff \t\r\n")
            if not buffer:
                continue
            is_array = buffer.startswith("[")
            buffer = buffer[1:] if is_array else buffer
        if is_array:
            while True:
                buffer = buffer.lstrip(" \t\r\n,")
                if not buffer or buffer[0] == "]":
                    break
                try:
                    document, end = decoder.raw_decode(buffer)
                except (json.JSONDecodeError, RecursionError):
                    break  # cut off: the rest is in the next chunk
                position += 1
                yield position, document
                buffer = buffer[end:]
        else:
            *lines, buffer = buffer.split("\n")
            for line in lines:
                if line.strip():
                    position += 1
                    yield position, _read_line(line)
    rest = buffer.strip().rstrip("]").strip() if is_array else buffer.strip()
    if rest:
        yield position + 1, _read_line(rest)


def _read_line(line: str) -> Any:
    try:
        return json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        return InvalidRow(f"is not JSON: {error}")


def parse_asset(document: Any) -> LegacyAsset:
    """Raises InvalidRow with the reason."""
    if isinstance(document, InvalidRow):
        raise document
    if not isinstance(document, dict):
        raise InvalidRow("is not an object")
    try:
        return _read_asset(document)
    except InvalidInput as error:
        raise InvalidRow(error.message) from error


def _read_asset(document: dict[str, Any]) -> LegacyAsset:
    warnings: list[str] = []
    normalised: list[str] = []
    public_id = _plain(document.get("_id"), "$oid")
    if not isinstance(public_id, str) or not is_public_id(public_id.lower()):
        raise InvalidRow(f"_id {str(public_id)[:40]!r} is not 24 hex characters")
    name = clean_text(document.get("name"), field="name", max_length=512, is_single_line=True).strip()
    try:
        hfn = parse_hfn(split_composite(name)[0])
    except InvalidAddress as error:
        raise InvalidRow(error.message) from error
    if name.endswith(":"):
        warnings.append("the name ends in a bare colon; kept")
    address = clean_text(document.get("nna_address"), field="nna_address", max_length=64, is_single_line=True)
    media_url = clean_text(document.get("gcpStorageUrl"), field="gcpStorageUrl", max_length=1000, is_single_line=True)
    if not media_url.startswith(("https://", "http://")):
        raise InvalidRow("gcpStorageUrl is not an address")
    created_at = _moment(document.get("createdAt"), "createdAt")
    components = [part for part in _list(document.get("components"), "components") if part.strip()]
    if components != document.get("components"):
        normalised.append("blank components dropped")
    creator_description = document.get("creatorDescription") or None
    if creator_description is not None:
        creator_description = clean_text(creator_description, field="creatorDescription", max_length=500)
    return LegacyAsset(
        public_id=public_id.lower(),
        name=name,
        hfn=hfn,
        address=address,
        category=_short(document.get("category"), "category"),
        subcategory=_short(document.get("subcategory"), "subcategory"),
        media_url=media_url,
        source=_short(document.get("source"), "source"),
        description=clean_text(document.get("description") or "", field="description"),
        tags=_list(document.get("tags"), "tags"),
        training_data=_object(document, "trainingData", warnings, normalised),
        rights=_object(document, "rights", warnings, normalised),
        components=components,
        registered_by=_short(document.get("registeredBy"), "registeredBy").lower(),
        created_at=created_at,
        updated_at=_moment(document["updatedAt"], "updatedAt") if document.get("updatedAt") else created_at,
        revision=_whole_number(document.get("__v")),
        creator_description=creator_description,
        album_art=check_album_art(document.get("albumArt")),
        ai_metadata=validate_ai_metadata(document.get("aiMetadata"), max_bytes=MAX_AI_METADATA_BYTES),
        warnings=warnings,
        normalised=normalised,
    )


def _plain(value: Any, key: str) -> Any:
    return value[key] if isinstance(value, dict) and set(value) == {key} else value


def _short(value: Any, name: str) -> str:
    return clean_text("" if value is None else value, field=name, max_length=254, is_single_line=True).strip()


def _list(value: Any, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidRow(f"{name} is not a list")
    return [clean_text(item, field=name, max_length=100) for item in value]


def _object(document: dict[str, Any], name: str, warnings: list[str], normalised: list[str]) -> dict[str, Any] | None:
    value = document.get(name)
    if value is None:
        warnings.append(f"{name} is absent")
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise InvalidRow(f"{name} is a string that is not JSON: {error}") from error
        normalised.append(f"{name} read from a string")
    if not isinstance(value, dict):
        raise InvalidRow(f"{name} is not an object")
    validate_json(value, field=name)
    return value


def _moment(value: Any, name: str) -> datetime:
    value = _plain(value, "$date")
    value = _plain(value, "$numberLong")
    try:
        if isinstance(value, str) and not value.lstrip("-").isdigit():
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise InvalidRow(f"{name} is not a moment: {str(value)[:40]!r}") from error


def _whole_number(value: Any) -> int:
    for key in ("$numberInt", "$numberLong"):
        value = _plain(value, key)
    if value is None:
        return 0
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise InvalidRow("__v is not a number") from error
    if not 0 <= number < 2**31:
        raise InvalidRow("__v is out of range")
    return number
