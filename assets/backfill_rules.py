"""Backfill rules for fields that legacy assets do not have. Pure."""

from datetime import datetime
from typing import Any

from assets.descriptions import extract_creator_description
from backfills.rules import Parameters, Row, Rule, Skip
from common.datetimes import parse_datetime
from common.errors import InvalidInput
from common.timestamps import format_timestamp

FROM_NAME = "name"
FROM_DESCRIPTION = "description"


class _LegacyValue(Rule):
    """Fill one column where it is null. `registered_before` excludes assets registered later."""

    model_label = "assets.Asset"
    group_field = "layer"
    label_field = "name"

    def clean_parameters(self, given: Parameters) -> dict[str, Any]:
        cleaned: dict[str, Any] = {}
        for name, value in given.items():
            if name != "registered_before":
                raise InvalidInput(f"{self.name} takes no parameter {name}", field=name)
            cleaned[name] = _clean_datetime(value, field=name)
        return cleaned

    def filter_queryset(self, rows: Any, parameters: Parameters) -> Any:
        [field] = self.fields
        rows = rows.filter(**{f"{field}__isnull": True})
        before = parameters.get("registered_before")
        return rows.filter(created_at__lt=datetime.fromisoformat(before)) if before else rows


class CreatorDescriptionRule(_LegacyValue):
    """Set the name, or with `from: description` the creator's text that the description contains."""

    name = "assets.creator_description"
    title = "Creator description of legacy assets"
    fields = ("creator_description",)
    reads = ("description",)
    origin_columns = {"creator_description": "creator_description_origin"}

    def clean_parameters(self, given: Parameters) -> dict[str, Any]:
        other = {name: value for name, value in given.items() if name != "from"}
        source = given.get("from", FROM_NAME)
        if source not in (FROM_NAME, FROM_DESCRIPTION):
            raise InvalidInput(f"from must be {FROM_NAME} or {FROM_DESCRIPTION}, not {source!r}", field="from")
        return {**super().clean_parameters(other), "from": source}

    def compute_values(self, row: Row, parameters: Parameters) -> dict[str, Any] | Skip:
        text = None
        if parameters["from"] == FROM_DESCRIPTION:
            text = extract_creator_description(row["description"], name=row["name"], layer=row["layer"])
        return {"creator_description": text or row["name"]}


class AiMetadataRule(_LegacyValue):
    """Set fixed metadata that marks the asset as not analyzed by a model."""

    name = "assets.ai_metadata"
    title = "AI metadata of legacy assets"
    fields = ("ai_metadata",)
    reads = ("created_at",)
    origin_columns = {"ai_metadata": "ai_metadata_origin"}

    def compute_values(self, row: Row, parameters: Parameters) -> dict[str, Any] | Skip:
        return {
            "ai_metadata": {
                "generatedBy": "Legacy",
                "generationStrategy": "pre-ai",
                "generatedAt": format_timestamp(row["created_at"]),
                "confidence": 0.5,
            }
        }


CREATOR_DESCRIPTION_RULE = CreatorDescriptionRule()
AI_METADATA_RULE = AiMetadataRule()


def _clean_datetime(value: Any, *, field: str) -> str:
    try:
        return parse_datetime(str(value)).isoformat()
    except ValueError:
        raise InvalidInput(
            f"{field} must be a date or datetime such as 2025-07-14, not {value!r}", field=field
        ) from None
