"""Forms of the asset pages: shapes only, the verbs decide."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from assets.ai_metadata import validate_ai_metadata
from assets.descriptions import check_album_art
from assets.models import Asset
from common.errors import InvalidInput
from common.text_validation import clean_text, validate_json


class TagsField(forms.CharField):
    """Tags as people type them: separated by commas."""

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
            raise ValidationError(f"At most {settings.ASSETS_MAX_TAGS} tags")
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
        # Changed is what this person changed: a backfill may have filled the value since the page was opened.
        for name in ("creator_description", "ai_metadata"):
            if name in self.fields:
                self.fields[name].show_hidden_initial = True

    def clean_description(self) -> str:
        text = self._checked(clean_text, "description", max_length=settings.ASSETS_MAX_DESCRIPTION_CHARS).strip()
        if not text:
            raise ValidationError("An asset needs a description")
        return text

    def clean_creator_description(self) -> str | None:
        if not self.cleaned_data["creator_description"]:
            return None
        return self._checked(clean_text, "creator_description", max_length=500)

    def clean_album_art(self) -> str | None:
        try:
            return check_album_art(self.cleaned_data["album_art"])
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
            raise ValidationError("This is a JSON object, or empty")
        self._checked(validate_json, name)
        return value

    def _checked(self, check: Any, name: str, **limits: Any) -> Any:
        try:
            return check(self.cleaned_data[name], field=name, **limits)
        except InvalidInput as error:
            raise ValidationError(error.message) from error


class EditTagsForm(forms.Form):
    add = TagsField(label="Add")
    remove = TagsField(label="Take away")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not (cleaned.get("add") or cleaned.get("remove")):
            raise ValidationError("Name at least one tag")
        return cleaned


class DeleteForm(forms.Form):
    reason = forms.CharField(
        max_length=200, widget=UnfoldAdminTextInputWidget(), help_text="Kept with the assets and in their history."
    )


class ConfirmForm(forms.Form):
    """Nothing to fill in but the button."""
