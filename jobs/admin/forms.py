"""Forms for the pace of a run and for the global pause. They check shapes; the domain functions check the rules."""

from django import forms
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from common.errors import RegistryError
from common.reasons import MAX_REASON_LENGTH


class ActionForm(forms.Form):
    def add_registry_error(self, error: RegistryError) -> None:
        """Add the error to the field it names, or to the form."""
        for detail in error.field_errors:
            self.add_error(detail.field if detail.field in self.fields else None, detail.message)
        if not error.field_errors:
            self.add_error(None, error.message)


class AdjustForm(ActionForm):
    batch_size = forms.IntegerField(label="Batch size", initial=100, widget=UnfoldAdminIntegerFieldWidget())
    sleep_ratio = forms.FloatField(
        label="Sleep ratio", initial=0, widget=UnfoldAdminDecimalFieldWidget(),
        help_text="Pause after each batch, as a multiple of the batch's duration.",
    )  # fmt: skip


class PauseAllForm(ActionForm):
    reason = forms.CharField(
        max_length=MAX_REASON_LENGTH, required=False, widget=UnfoldAdminTextInputWidget(),
        help_text="Shown on the page of each paused run.",
    )  # fmt: skip
