"""Forms of the asset admin. They check fields; domain functions apply the rules."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from assets.ai_metadata import validate_ai_metadata
from assets.album_art import normalize_album_art
from assets.descriptions import MAX_CREATOR_DESCRIPTION_LENGTH
from assets.models import Asset
from common.errors import InvalidInput
from common.text_validation import clean_text, validate_json


class TagsField(forms.CharField):
    """Tags, separated by commas."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False, widget=UnfoldAdminTextInputWidget(), help_text="Separated by commas.", **kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> Any:
        tags = [tag.strip() for tag in super().clean(value).split(",") if tag.strip()]
        if len(tags) > settings.ASSETS_MAX_TAGS:
            raise ValidationError(f"{len(tags)} tags (maximum {settings.ASSETS_MAX_TAGS}). Remove some tags.")
        try:
            return [
                clean_text(tag, field="tags", max_length=settings.ASSETS_MAX_TAG_CHARS, is_single_line=True)
                for tag in dict.fromkeys(tags)
            ]
        except InvalidInput as error:
            raise ValidationError(error.message) from error


class AssetForm(forms.ModelForm):
    tags = TagsField()

    class Meta:
        model = Asset
        fields = (
            "description", "tags", "source", "creator_description", "album_art", "ai_metadata", "rights",
            "training_data",
        )  # fmt: skip
        widgets = {
            "creator_description": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
            "album_art": UnfoldAdminTextInputWidget(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Compare with the value the page showed: a backfill may have filled the field since the page was opened.
        for name in ("creator_description", "ai_metadata"):
            if name in self.fields:
                self.fields[name].show_hidden_initial = True

    def clean_description(self) -> str:
        text = self._clean(clean_text, "description", max_length=settings.ASSETS_MAX_DESCRIPTION_CHARS).strip()
        if not text:
            raise ValidationError("The description is empty. Enter a description.")
        return text

    def clean_creator_description(self) -> str | None:
        if not self.cleaned_data["creator_description"]:
            return None
        return self._clean(clean_text, "creator_description", max_length=MAX_CREATOR_DESCRIPTION_LENGTH)

    def clean_album_art(self) -> str | None:
        try:
            return normalize_album_art(self.cleaned_data["album_art"])
        except InvalidInput as error:
            raise ValidationError(error.message) from error

    def clean_ai_metadata(self) -> Any:
        try:
            return validate_ai_metadata(
                self.cleaned_data["ai_metadata"], max_bytes=settings.ASSETS_MAX_AI_METADATA_BYTES
            )
        except InvalidInput as error:
            raise ValidationError(error.message) from error

    def clean_rights(self) -> Any:
        return self._clean_object("rights")

    def clean_training_data(self) -> Any:
        return self._clean_object("training_data")

    def _clean_object(self, name: str) -> Any:
        value = self.cleaned_data[name]
        if value is not None and not isinstance(value, dict):
            raise ValidationError("The value is not a JSON object. Enter an object, or leave the field empty.")
        self._clean(validate_json, name)
        return value

    def _clean(self, clean: Any, name: str, **limits: Any) -> Any:
        try:
            return clean(self.cleaned_data[name], field=name, **limits)
        except InvalidInput as error:
            raise ValidationError(error.message) from error


class EditTagsForm(forms.Form):
    add = TagsField(label="Add")
    remove = TagsField(label="Remove")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not (cleaned.get("add") or cleaned.get("remove")):
            raise ValidationError("No tag is given. Enter a tag to add or remove.")
        return cleaned


class DeleteForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Stored with the assets and in their history. At most 200 characters.",
    )
