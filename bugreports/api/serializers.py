"""Serializers of updates and purges. `bugreports.submission` parses submitted reports."""

from typing import Any

from rest_framework import serializers

from api.fields import PlainTextField, StrictSerializer
from bugreports.triage import MAX_NOTES_CHARS, MAX_REASON_CHARS
from bugreports.updates import ReportChanges

_ALIASES = (("notes", "note"), ("commit_sha", "commit"))


class _NonNegativeInteger(serializers.Field):
    """Accept JSON integers from 0. Strings, booleans and fractions are errors."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool) or not 0 <= data < 2**31:
            raise serializers.ValidationError(f"{self.field_name} must be an integer of 0 or more")
        return data


class _StrictBoolean(serializers.Field):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError(f"{self.field_name} must be true or false")
        return data


class ResolutionSerializer(StrictSerializer):
    """Resolution notes and commit. `note` and `commit` are aliases used by existing clients."""

    notes = PlainTextField(max_length=MAX_NOTES_CHARS, required=False, allow_null=True)
    note = PlainTextField(max_length=MAX_NOTES_CHARS, required=False, allow_null=True)
    commit_sha = PlainTextField(is_single_line=True, required=False, allow_null=True)
    commit = PlainTextField(is_single_line=True, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {name: attrs.get(name, attrs.get(alias)) for name, alias in _ALIASES if name in attrs or alias in attrs}


class UpdateReportSerializer(StrictSerializer):
    status = PlainTextField(is_single_line=True, max_length=20, required=False)
    resolution = ResolutionSerializer(required=False)
    resolution_kind = PlainTextField(is_single_line=True, max_length=40, required=False)
    duplicate_of = PlainTextField(is_single_line=True, max_length=100, required=False)
    priority = PlainTextField(is_single_line=True, max_length=20, required=False, allow_null=True)
    assignee = PlainTextField(is_single_line=True, max_length=254, required=False, allow_null=True)
    retain = _StrictBoolean(required=False)
    retain_reason = PlainTextField(is_single_line=True, max_length=MAX_REASON_CHARS, required=False)
    version = _NonNegativeInteger(required=False)

    def validate_status(self, value: str) -> str:
        return value.lower()

    def changes(self) -> ReportChanges:
        data = dict(self.validated_data)
        data.pop("version", None)
        return ReportChanges(**data.pop("resolution", {}), **data)


class PurgeSerializer(StrictSerializer):
    older_than_days = _NonNegativeInteger(required=False)
    dry_run = _StrictBoolean(required=False, default=False)
