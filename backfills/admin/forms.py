"""What staff fill in: a new run, its pace, a hold. Shapes only; verbs refuse."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from backfills.engine.run_setup import MAX_REASON_CHARS
from backfills.rules import all_rules
from common.errors import RegistryError


class _VerbForm(forms.Form):
    def add_refusal(self, refusal: RegistryError) -> None:
        """What a verb refused, beside the field it names."""
        for fault in refusal.field_errors:
            self.add_error(fault.field if fault.field in self.fields else None, fault.message)
        if not refusal.field_errors:
            self.add_error(None, refusal.message)


class AdjustForm(_VerbForm):
    batch_size = forms.IntegerField(label="Rows in a batch", initial=100, widget=UnfoldAdminIntegerFieldWidget())
    sleep_ratio = forms.FloatField(
        label="Rest", initial=0, widget=UnfoldAdminDecimalFieldWidget(),
        help_text="After each batch, as a multiple of the time it took; 0 is none.",
    )  # fmt: skip


class PlanForm(AdjustForm):
    field_order = ("rule", "parameters", "reason", "batch_size", "sleep_ratio")
    rule = forms.ChoiceField(widget=UnfoldAdminSelectWidget())
    parameters = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="NAME=VALUE, a line each, such as from=description. Empty for the rule's defaults.",
    )  # fmt: skip
    reason = forms.CharField(
        max_length=MAX_REASON_CHARS, required=False, widget=UnfoldAdminTextInputWidget(), help_text="Kept with the run."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rule"].choices = [(rule.name, f"{rule.title} ({rule.name})") for rule in all_rules()]

    def clean_parameters(self) -> dict[str, str]:
        lines = [line.strip() for line in self.cleaned_data["parameters"].splitlines() if line.strip()]
        if wrong := next((line for line in lines if "=" not in line), None):
            raise forms.ValidationError(f"{wrong!r} is not NAME=VALUE")
        return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}


class HoldForm(_VerbForm):
    reason = forms.CharField(
        max_length=MAX_REASON_CHARS, required=False, widget=UnfoldAdminTextInputWidget(),
        help_text="Shown with every run while it waits.",
    )  # fmt: skip
