"""Parse the export of the legacy database: MongoDB Extended JSON, one document per line or one array. Pure.

A document becomes a `LegacyAsset`. Unusual values that are harmless become warnings.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from assets.ai_metadata import validate_ai_metadata
from assets.album_art import normalize_album_art
from assets.descriptions import MAX_CREATOR_DESCRIPTION_LENGTH
from common.datetimes import parse_datetime
from common.errors import InvalidInput
from common.public_ids import is_public_id
from common.text_validation import clean_text, validate_json
from taxonomy.addresses import HumanFriendlyName, parse_hfn, split_composite
from taxonomy.errors import InvalidAddress

MAX_AI_METADATA_BYTES = 64 * 1024
# Keys that a document may lack, and their columns. An import leaves the value of an absent key.
OPTIONAL_KEYS = {
    "source": "source", "description": "description", "tags": "tags", "trainingData": "training_data",
    "rights": "rights", "components": "components", "creatorDescription": "creator_description",
    "albumArt": "album_art", "aiMetadata": "ai_metadata", "__v": "revision",
}  # fmt: skip


class InvalidRow(InvalidInput):
    """The document cannot become an asset; the message has the reason."""

    code = "row_rejected"


@dataclass
class LegacyAsset:
    """One parsed document, with warnings and the normalizations that were applied.

    `absent_columns` are the columns of optional keys that the document lacks.
    """

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
    absent_columns: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    normalized: list[str] = field(default_factory=list)

    @property
    def base_name(self) -> str:
        """The name without components; only one asset may have it."""
        return self.name.partition(":")[0]


def iter_documents(chunks: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """Yield (position from 1, document); an `InvalidRow` replaces a document that is not JSON.

    Only one document is in memory at a time.
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
                    break  # incomplete: the next chunk has the rest
                position += 1
                yield position, document
                buffer = buffer[end:]
        else:
            *lines, buffer = buffer.split("\n")
            for line in lines:
                if line.strip():
                    position += 1
                    yield position, _parse_line(line)
    remaining = buffer.strip().rstrip("]").strip() if is_array else buffer.strip()
    if remaining:
        yield position + 1, _parse_line(remaining)


def _parse_line(line: str) -> Any:
    try:
        return json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        return InvalidRow(f"is not JSON: {error}")


def parse_asset(document: Any) -> LegacyAsset:
    """Parse one document. Raises InvalidRow with the reason."""
    if isinstance(document, InvalidRow):
        raise document
    if not isinstance(document, dict):
        raise InvalidRow("is not an object")
    try:
        return _parse_document(document)
    except InvalidInput as error:
        raise InvalidRow(error.message) from error


def _parse_document(document: dict[str, Any]) -> LegacyAsset:
    warnings: list[str] = []
    normalized: list[str] = []
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
        raise InvalidRow("gcpStorageUrl is not an http(s) URL")
    created_at = _timestamp(document.get("createdAt"), "createdAt")
    components = [text for text in _list(document.get("components"), "components") if text.strip()]
    if components != document.get("components"):
        normalized.append("blank components dropped")
    creator_description = document.get("creatorDescription") or None
    if creator_description is not None:
        creator_description = clean_text(
            creator_description, field="creatorDescription", max_length=MAX_CREATOR_DESCRIPTION_LENGTH
        )
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
        training_data=_object(document, "trainingData", warnings, normalized),
        rights=_object(document, "rights", warnings, normalized),
        components=components,
        registered_by=_short(document.get("registeredBy"), "registeredBy").lower(),
        created_at=created_at,
        updated_at=_timestamp(document["updatedAt"], "updatedAt") if document.get("updatedAt") else created_at,
        revision=_whole_number(document.get("__v")),
        creator_description=creator_description,
        album_art=normalize_album_art(document.get("albumArt")),
        ai_metadata=validate_ai_metadata(document.get("aiMetadata"), max_bytes=MAX_AI_METADATA_BYTES),
        absent_columns=[column for key, column in OPTIONAL_KEYS.items() if key not in document],
        warnings=warnings,
        normalized=normalized,
    )


def _plain(value: Any, key: str) -> Any:
    """Unwrap an Extended JSON value such as {"$oid": ...}."""
    return value[key] if isinstance(value, dict) and set(value) == {key} else value


def _short(value: Any, name: str) -> str:
    return clean_text("" if value is None else value, field=name, max_length=254, is_single_line=True).strip()


def _list(value: Any, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidRow(f"{name} is not a list")
    return [clean_text(item, field=name, max_length=100) for item in value]


def _object(document: dict[str, Any], name: str, warnings: list[str], normalized: list[str]) -> dict[str, Any] | None:
    value = document.get(name)
    if value is None:
        warnings.append(f"{name} is absent")
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise InvalidRow(f"{name} is a string that is not JSON: {error}") from error
        normalized.append(f"{name} parsed from a string")
    if not isinstance(value, dict):
        raise InvalidRow(f"{name} is not an object")
    validate_json(value, field=name)
    return value


def _timestamp(value: Any, name: str) -> datetime:
    value = _plain(value, "$date")
    value = _plain(value, "$numberLong")
    try:
        if isinstance(value, str) and not value.lstrip("-").isdigit():
            return parse_datetime(value)
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise InvalidRow(f"{name} is not a datetime: {str(value)[:40]!r}") from error


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
