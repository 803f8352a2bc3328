"""Validation of `aiMetadata`: a JSON object whose known keys have known types. Pure."""

from typing import Any

import orjson

from common.errors import FieldErrorDetail, InvalidInput
from common.text_validation import validate_json

# The keys that the frontend sends and the design documents name. Unknown keys are stored unchanged.
_TEXT_KEYS = (
    "generatedDescription", "mood", "genre", "key", "tempo", "generatedBy", "generationStrategy", "generatedAt",
)  # fmt: skip
_NUMBER_KEYS = ("bpm", "duration", "processingTime", "confidence")


def validate_ai_metadata(value: Any, *, max_bytes: int) -> dict[str, Any] | None:
    """Return the object, or None for null. Raises InvalidInput naming each known key of a wrong type."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidInput("aiMetadata must be a JSON object", field="aiMetadata")
    validate_json(value, field="aiMetadata")
    field_errors = [_field_error(key, "a string") for key in _TEXT_KEYS if not _is_kind(value.get(key), str)]
    field_errors += [
        _field_error(key, "a number") for key in _NUMBER_KEYS if not _is_kind(value.get(key), (int, float))
    ]
    if _is_kind(value.get("confidence"), (int, float)) and not 0 <= (value.get("confidence") or 0) <= 1:
        field_errors.append(FieldErrorDetail("aiMetadata.confidence", "aiMetadata.confidence must be between 0 and 1"))
    tags = value.get("tags")
    if tags is not None and not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        field_errors.append(_field_error("tags", "a list of strings"))
    if field_errors:
        raise InvalidInput("; ".join(detail.message for detail in field_errors), field_errors=field_errors)
    if len(orjson.dumps(value)) > max_bytes:
        raise InvalidInput(f"aiMetadata must be at most {max_bytes} bytes", field="aiMetadata")
    return value


def _is_kind(value: Any, kind: type | tuple[type, ...]) -> bool:
    return value is None or (isinstance(value, kind) and not isinstance(value, bool))


def _field_error(key: str, kind: str) -> FieldErrorDetail:
    return FieldErrorDetail(f"aiMetadata.{key}", f"aiMetadata.{key} must be {kind}")
