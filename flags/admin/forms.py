"""The form field for the reason of a change."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextInputWidget

from common.errors import InvalidInput
from common.reasons import MAX_REASON_LENGTH
from flags.editing import clean_reason


class ReasonField(forms.CharField):
    """A reason, validated as in `flags.editing`, so that errors appear at the field."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            widget=UnfoldAdminTextInputWidget(attrs={"maxlength": MAX_REASON_LENGTH}),
            help_text="Recorded with the change, your name and the time.",
            **kwargs,
        )

    def clean(self, value: Any) -> str:
        try:
            return clean_reason(super().clean(value))
        except InvalidInput as error:
            raise ValidationError(error.message) from error
