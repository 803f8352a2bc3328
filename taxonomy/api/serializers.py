"""Request bodies of `/api/taxonomy`."""

from typing import Any

from rest_framework import serializers

from api.fields import PlainTextField, StrictSerializer


class NumericCodeField(serializers.Field):
    """Accepts `"004"` or 4."""

    def to_internal_value(self, data: Any) -> int:
        text = str(data) if isinstance(data, (int, str)) and not isinstance(data, bool) else ""
        if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 3):
            raise serializers.ValidationError("numericCode must be three digits")
        return int(text)


class ConvertSerializer(StrictSerializer):
    """One text in the field `hfn` or `mfa`. The view checks whether it is an address."""

    def __init__(self, *args: Any, field: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[field] = PlainTextField()


class InvalidateSerializer(StrictSerializer):
    """Every scope drops the one snapshot there is; the fields are only logged."""

    scope = serializers.ChoiceField(["all", "layer", "category", "subcategory"], default="all")
    layer = PlainTextField(max_length=10, is_single_line=True, required=False)
    category = PlainTextField(max_length=100, is_single_line=True, required=False)
    reason = PlainTextField(max_length=500, required=False)


class NodeSerializer(StrictSerializer):
    """The codes of a new node: a subcategory if `subcategory` is given, else a category."""

    layer = PlainTextField(max_length=10, is_single_line=True, allow_blank=False)
    category = PlainTextField(max_length=100, is_single_line=True, allow_blank=False)
    subcategory = PlainTextField(max_length=100, is_single_line=True, required=False)
    name = PlainTextField(max_length=100, is_single_line=True, allow_blank=False)
    description = PlainTextField(max_length=500, is_single_line=True, required=False)
    numericCode = NumericCodeField()  # noqa: N815


class NodeChangeSerializer(StrictSerializer):
    code = PlainTextField(max_length=3, is_single_line=True, required=False)
    name = PlainTextField(max_length=100, is_single_line=True, required=False)
    description = PlainTextField(max_length=500, is_single_line=True, required=False)
    numericCode = NumericCodeField(required=False)  # noqa: N815
