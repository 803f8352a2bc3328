"""What legacy assets get for the fields that came after them. Pure; the engine is `backfills`."""

from datetime import UTC, datetime
from typing import Any

from assets.descriptions import extract_creator_description
from backfills.rules import Parameters, Row, Rule, Skip
from common.errors import InvalidInput
from common.timestamps import format_timestamp

FROM_NAME = "name"
FROM_DESCRIPTION = "description"


class _LegacyValue(Rule):
    """One column of assets that never had a value. `registered_before` leaves later ones alone."""

    model_label = "assets.Asset"
    group_field = "layer"
    label_field = "name"

    def clean_parameters(self, given: Parameters) -> dict[str, Any]:
        checked: dict[str, Any] = {}
        for name, value in given.items():
            if name != "registered_before":
                raise InvalidInput(f"{self.name} takes no parameter {name}", field=name)
            checked[name] = _checked_moment(value, field=name)
        return checked

    def filter_queryset(self, rows: Any, parameters: Parameters) -> Any:
        [field] = self.fields
        rows = rows.filter(**{f"{field}__isnull": True})
        before = parameters.get("registered_before")
        return rows.filter(created_at__lt=datetime.fromisoformat(before)) if before else rows


class CreatorDescriptionRule(_LegacyValue):
    """The name, as was asked for, or with `from: description` the creator's words where a description kept them."""

    name = "assets.creator_description"
    title = "Creator description of legacy assets"
    fields = ("creator_description",)
    reads = ("description",)
    origin_columns = {"creator_description": "creator_description_origin"}

    def clean_parameters(self, given: Parameters) -> dict[str, Any]:
        rest = {name: value for name, value in given.items() if name != "from"}
        source = given.get("from", FROM_NAME)
        if source not in (FROM_NAME, FROM_DESCRIPTION):
            raise InvalidInput(f"from must be {FROM_NAME} or {FROM_DESCRIPTION}, not {source!r}", field="from")
        return {**super().clean_parameters(rest), "from": source}

    def compute_values(self, row: Row, parameters: Parameters) -> dict[str, Any] | Skip:
        words = None
        if parameters["from"] == FROM_DESCRIPTION:
            words = extract_creator_description(row["description"], name=row["name"], layer=row["layer"])
        return {"creator_description": words or row["name"]}


class AiMetadataRule(_LegacyValue):
    """What says that no model has looked at the asset. The numbers are given, not measured."""

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


def _checked_moment(value: Any, *, field: str) -> str:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise InvalidInput(f"{field} must be a date or moment such as 2025-07-14, not {value!r}", field=field) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
