"""Form for a new run. It checks shapes; the domain functions check the rules."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from backfills.rules import all_rules
from common.reasons import MAX_REASON_LENGTH
from jobs.admin.forms import AdjustForm


class PlanForm(AdjustForm):
    field_order = ("rule", "parameters", "reason", "batch_size", "sleep_ratio")
    rule = forms.ChoiceField(widget=UnfoldAdminSelectWidget())
    parameters = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="One NAME=VALUE per line, such as from=description. Empty: defaults of the rule.",
    )  # fmt: skip
    reason = forms.CharField(
        max_length=MAX_REASON_LENGTH, required=False, widget=UnfoldAdminTextInputWidget(),
        help_text="Stored with the run.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rule"].choices = [(rule.name, f"{rule.title} ({rule.name})") for rule in all_rules()]

    def clean_parameters(self) -> dict[str, str]:
        lines = [line.strip() for line in self.cleaned_data["parameters"].splitlines() if line.strip()]
        if invalid := next((line for line in lines if "=" not in line), None):
            raise forms.ValidationError(f"{invalid!r} is not NAME=VALUE")
        return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
