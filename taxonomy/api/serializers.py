"""Shapes of incoming taxonomy bodies."""

from typing import Any

from rest_framework import serializers

from api.fields import PlainTextField, StrictSerializer


class NumericCodeField(serializers.Field):
    """`"004"` or 4."""

    def to_internal_value(self, data: Any) -> int:
        text = str(data) if isinstance(data, (int, str)) and not isinstance(data, bool) else ""
        if not (text.isascii() and text.isdigit() and len(text) <= 3):
            raise serializers.ValidationError("numericCode must be three digits")
        return int(text)


class NodeSerializer(StrictSerializer):
    """Codes of the place; `subcategory` given means a subcategory is meant, else a category."""

    layer = PlainTextField(max_chars=10, is_single_line=True, allow_blank=False)
    category = PlainTextField(max_chars=100, is_single_line=True, allow_blank=False)
    subcategory = PlainTextField(max_chars=100, is_single_line=True, required=False)
    name = PlainTextField(max_chars=100, is_single_line=True, allow_blank=False)
    description = PlainTextField(max_chars=500, required=False)
    numericCode = NumericCodeField()  # noqa: N815


class NodeChangeSerializer(StrictSerializer):
    code = PlainTextField(max_chars=3, is_single_line=True, required=False)
    name = PlainTextField(max_chars=100, is_single_line=True, required=False)
    description = PlainTextField(max_chars=500, required=False)
    numericCode = NumericCodeField(required=False)  # noqa: N815
