"""Request bodies. `asset_json` writes the responses."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from api.fields import PlainTextField, StrictSerializer
from assets.ai_metadata import validate_ai_metadata
from assets.album_art import normalize_album_art
from assets.api.legacy_forms import IGNORED_FIELDS
from assets.descriptions import MAX_CREATOR_DESCRIPTION_LENGTH
from common.errors import InvalidInput
from common.text_validation import clean_text, validate_json

_MAX_OBJECT_BYTES = 64 * 1024


class TextListField(serializers.Field):
    """A list of short texts. Blank texts are dropped."""

    def __init__(self, *, max_items: int, max_length: int, **kwargs: Any) -> None:
        self.max_items = max_items
        self.max_length = max_length
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        name = self.field_name or "list"
        if not isinstance(data, list):
            raise serializers.ValidationError(f"{name} must be an array")
        if len(data) > self.max_items:
            raise serializers.ValidationError(f"{name} must hold at most {self.max_items} entries, not {len(data)}")
        try:
            texts = [
                clean_text(item, field=name, max_length=self.max_length, is_single_line=True).strip() for item in data
            ]
        except InvalidInput as error:
            raise serializers.ValidationError(error.message) from error
        return [text for text in texts if text]


class ObjectField(serializers.Field):
    """A JSON object, stored unchanged."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        name = self.field_name or "object"
        if not isinstance(data, dict):
            raise serializers.ValidationError(f"{name} must be a JSON object")
        try:
            validate_json(data, field=name)
        except InvalidInput as error:
            raise serializers.ValidationError(error.message) from error
        if len(str(data)) > _MAX_OBJECT_BYTES:
            raise serializers.ValidationError(f"{name} must be at most {_MAX_OBJECT_BYTES} bytes")
        return data


class AiMetadataField(serializers.Field):
    def to_internal_value(self, data: Any) -> dict[str, Any] | None:
        try:
            return validate_ai_metadata(data, max_bytes=settings.ASSETS_MAX_AI_METADATA_BYTES)
        except InvalidInput as error:
            raise serializers.ValidationError([detail.message for detail in error.field_errors]) from error


class AlbumArtField(serializers.Field):
    def to_internal_value(self, data: Any) -> str | None:
        try:
            return normalize_album_art(data)
        except InvalidInput as error:
            raise serializers.ValidationError(error.message) from error


def _tags(**kwargs: Any) -> TextListField:
    return TextListField(
        max_items=settings.ASSETS_MAX_TAGS, max_length=settings.ASSETS_MAX_TAG_CHARS, required=False, **kwargs
    )


def _components() -> TextListField:
    return TextListField(max_items=100, max_length=100, required=False)


class _AssetFields(StrictSerializer):
    """The fields that registration and editing share, by API key."""

    ignored_fields = IGNORED_FIELDS

    source = PlainTextField(max_length=100, is_single_line=True, required=False)
    trainingData = ObjectField(required=False, allow_null=True, source="training_data")  # noqa: N815
    rights = ObjectField(required=False, allow_null=True)
    creatorDescription = PlainTextField(  # noqa: N815
        max_length=MAX_CREATOR_DESCRIPTION_LENGTH,
        required=False,
        allow_null=True,
        source="creator_description",
    )
    albumArt = AlbumArtField(required=False, allow_null=True, source="album_art")  # noqa: N815
    aiMetadata = AiMetadataField(required=False, allow_null=True, source="ai_metadata")  # noqa: N815

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["tags"] = _tags()
        fields["components"] = _components()
        return fields


class RegisterAssetSerializer(_AssetFields):
    layer = PlainTextField(max_length=10, is_single_line=True, allow_blank=False)
    category = PlainTextField(max_length=100, is_single_line=True, allow_blank=False)
    subcategory = PlainTextField(max_length=100, is_single_line=True, allow_blank=False)
    description = PlainTextField(max_length=settings.ASSETS_MAX_DESCRIPTION_CHARS, allow_blank=False)

    def validate_source(self, value: str) -> str:
        return value or "ReViz"


class EditAssetSerializer(_AssetFields):
    """All fields are optional; the fields present are set."""

    ignored_fields = IGNORED_FIELDS | {"_id", "id"}

    layer = PlainTextField(max_length=10, is_single_line=True, allow_blank=False, required=False)
    category = PlainTextField(max_length=100, is_single_line=True, allow_blank=False, required=False)
    subcategory = PlainTextField(max_length=100, is_single_line=True, allow_blank=False, required=False)
    description = PlainTextField(max_length=settings.ASSETS_MAX_DESCRIPTION_CHARS, allow_blank=False, required=False)


class CsvRowSerializer(RegisterAssetSerializer):
    """One row of a batch: an asset and the name of its file part."""

    filename = PlainTextField(max_length=255, is_single_line=True, allow_blank=False)


class BatchAddressesSerializer(StrictSerializer):
    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            "addresses": TextListField(max_items=settings.ASSETS_MAX_BATCH_ADDRESSES, max_length=600, required=True)
        }


class ReserveSerializer(StrictSerializer):
    layer = PlainTextField(max_length=10, is_single_line=True, allow_blank=False)
    category = PlainTextField(max_length=100, is_single_line=True, allow_blank=False)
    subcategory = PlainTextField(max_length=100, is_single_line=True, allow_blank=False)
