"""The shapes of what comes in beside reports themselves, which `bugreports.submission` reads."""

from typing import Any

from rest_framework import serializers

from api.fields import PlainTextField, StrictSerializer
from bugreports.triage import MAX_NOTES_CHARS, MAX_REASON_CHARS
from bugreports.updates import ReportChanges

_TWICE = (("notes", "note"), ("commit_sha", "commit"))


class _Whole(serializers.Field):
    """An integer; no text, no truth value, no fraction."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool) or not 0 <= data < 2**31:
            raise serializers.ValidationError(f"{self.field_name} must be an integer of 0 or more")
        return data


class _Truth(serializers.Field):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError(f"{self.field_name} must be true or false")
        return data


class ResolutionSerializer(StrictSerializer):
    """Notes and commit, under the names of the API or those of the operators' guide."""

    notes = PlainTextField(max_length=MAX_NOTES_CHARS, required=False, allow_null=True)
    note = PlainTextField(max_length=MAX_NOTES_CHARS, required=False, allow_null=True)
    commit_sha = PlainTextField(is_single_line=True, required=False, allow_null=True)
    commit = PlainTextField(is_single_line=True, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {name: attrs.get(name, attrs.get(alias)) for name, alias in _TWICE if name in attrs or alias in attrs}


class UpdateReportSerializer(StrictSerializer):
    status = PlainTextField(is_single_line=True, max_length=20, required=False)
    resolution = ResolutionSerializer(required=False)
    resolution_kind = PlainTextField(is_single_line=True, max_length=40, required=False)
    duplicate_of = PlainTextField(is_single_line=True, max_length=100, required=False)
    priority = PlainTextField(is_single_line=True, max_length=20, required=False, allow_null=True)
    assignee = PlainTextField(is_single_line=True, max_length=254, required=False, allow_null=True)
    retain = _Truth(required=False)
    retain_reason = PlainTextField(is_single_line=True, max_length=MAX_REASON_CHARS, required=False)
    version = _Whole(required=False)

    def validate_status(self, value: str) -> str:
        return value.lower()

    def changes(self) -> ReportChanges:
        data = dict(self.validated_data)
        data.pop("version", None)
        return ReportChanges(**data.pop("resolution", {}), **data)


class PurgeSerializer(StrictSerializer):
    older_than_days = _Whole(required=False)
    dry_run = _Truth(required=False, default=False)
