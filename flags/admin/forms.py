"""The field in which staff say why."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextInputWidget

from common.errors import InvalidInput
from flags.editing import MAX_REASON_CHARS, clean_reason


class ReasonField(forms.CharField):
    """Why somebody edits; refused as the verb would refuse it, but beside the field."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            widget=UnfoldAdminTextInputWidget(attrs={"maxlength": MAX_REASON_CHARS}),
            help_text="Kept with the change, with your name and the time.",
            **kwargs,
        )

    def clean(self, value: Any) -> str:
        try:
            return clean_reason(super().clean(value))
        except InvalidInput as refusal:
            raise ValidationError(refusal.message) from refusal
