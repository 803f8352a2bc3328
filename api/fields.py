"""A text field and a base serializer for request bodies."""

from typing import Any

from rest_framework import serializers

from common.errors import InvalidInput
from common.text_validation import clean_text


class PlainTextField(serializers.Field):
    """Text that `common.text_validation` accepts, stripped. Numbers and lists are errors."""

    def __init__(
        self, *, max_length: int | None = None, is_single_line: bool = False, allow_blank: bool = True, **kwargs: Any
    ) -> None:
        self.max_length = max_length
        self.is_single_line = is_single_line
        self.allow_blank = allow_blank
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        name = self.field_name or "value"
        try:
            text = clean_text(data, field=name, max_length=self.max_length, is_single_line=self.is_single_line).strip()
        except InvalidInput as error:
            raise serializers.ValidationError(error.message) from error
        if not text and not self.allow_blank:
            raise serializers.ValidationError(f"{name} should not be empty")
        return text

    def to_representation(self, value: Any) -> Any:
        return value


class StrictSerializer(serializers.Serializer):
    """Reject unknown fields with the message of the legacy server; fields in `ignored_fields` are ignored."""

    ignored_fields: frozenset[str] = frozenset()

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError({"non_field_errors": ["body must be a JSON object"]})
        unknown = {str(name) for name in data} - set(self.fields) - self.ignored_fields
        if unknown:
            raise serializers.ValidationError({name: [f"property {name} should not exist"] for name in sorted(unknown)})
        return super().to_internal_value(data)
