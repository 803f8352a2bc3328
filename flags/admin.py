"""Flags and their audit for staff. Every edit goes through `flags.changing`, so every edit is recorded."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from common.errors import Invalid, RegistryError
from flags.audit import differences, state_in_words
from flags.changing import MAX_REASON_CHARS, change_flag, checked_reason, remove_stale_flag, restore_flag
from flags.models import FieldFlag, FlagChange
from flags.registry import GATED_FIELDS_BY_FLAG

EVERYONE_CHOICES = [
    ("unknown", "The settings below decide"),
    ("true", "On for everyone"),
    ("false", "Off for everyone"),
]


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
            return checked_reason(super().clean(value))
        except Invalid as refusal:
            raise ValidationError(refusal.message) from refusal


class FieldFlagForm(forms.ModelForm):
    reason = ReasonField(label="Reason for this change")

    class Meta:
        model = FieldFlag
        fields = ["everyone", "percent", "staff", "authenticated", "users", "groups", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "everyone" in self.fields:
            self.fields["everyone"].widget.choices = EVERYONE_CHOICES


@admin.register(FieldFlag)
class FieldFlagAdmin(ModelAdmin):
    form = FieldFlagForm
    list_display = ["name", "state", "fields_gated", "last_change"]
    search_fields = ["name", "note"]
    readonly_fields = ["name", "purpose", "last_change"]
    list_per_page = 50
    actions = None
    fieldsets = [
        (None, {"fields": ["name", "purpose", "last_change"]}),
        ("Who has it", {"fields": ["everyone", "percent", "staff", "authenticated", "users", "groups"]}),
        ("Why", {"fields": ["note", "reason"]}),
    ]

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        # Not the attribute: people are a higher app, and the attribute insists on their admin.
        related = {"users": get_user_model(), "groups": Group}
        return [field for field, model in related.items() if self.admin_site.is_registered(model)]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).with_members().with_last_change().prefetch_related("groups")

    @display(description="State", label={"off": "info", "on": "success", "partly": "warning"})
    def state(self, flag: FieldFlag) -> tuple[str, str]:
        words = state_in_words(
            {
                "everyone": flag.everyone,
                "percent": flag.percent,
                "staff": flag.staff,
                "authenticated": flag.authenticated,
                "users": flag.user_pks,
                "groups": [group.name for group in flag.groups.all()],
            }
        )
        return {"off": "off", "on for everyone": "on"}.get(words, "partly"), words

    @display(description="Gates")
    def fields_gated(self, flag: FieldFlag) -> str:
        gated = GATED_FIELDS_BY_FLAG.get(flag.name)
        return gated.gates if gated else "nothing: the code no longer asks for it"

    @display(description="What for")
    def purpose(self, flag: FieldFlag) -> str:
        gated = GATED_FIELDS_BY_FLAG.get(flag.name)
        return f"{gated.description} Gates: {gated.gates}." if gated else self.fields_gated(flag)

    @display(description="Last change")
    def last_change(self, flag: FieldFlag) -> str:
        if flag.last_changed_at is None:
            return "as it was installed"
        return format_html(
            '<a class="underline" href="{}?flag_name__exact={}">{} by {}</a>',
            reverse("admin:flags_flagchange_changelist"),
            flag.name,
            f"{flag.last_changed_at:%Y-%m-%d %H:%M} UTC",
            flag.last_changed_by or "the system",
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FieldFlag | None = None) -> bool:
        return obj is not None and obj.name not in GATED_FIELDS_BY_FLAG and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: FieldFlag, form: Any, change: bool) -> None:
        # Only what this person touched: an edit by somebody else meanwhile stays.
        edits = {name: form.cleaned_data[name] for name in form.changed_data if name in FieldFlagForm.Meta.fields}
        reason = form.cleaned_data["reason"]
        if not change_flag(name=obj.name, by=request.user, reason=reason, now=timezone.now(), **edits):
            self.message_user(request, "Nothing differs from before, so nothing was recorded.", messages.WARNING)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """People and groups are part of the recorded change above."""

    def delete_model(self, request: HttpRequest, obj: FieldFlag) -> None:
        reason = "The code no longer asks for this flag"
        remove_stale_flag(name=obj.name, by=request.user, reason=reason, now=timezone.now())


class RestoreForm(BaseDialogForm):
    reason = ReasonField(label="Reason")


@admin.register(FlagChange)
class FlagChangeAdmin(ModelAdmin):
    list_display = ["flag_name", "in_words", "reason", "changed_by", "changed_at"]
    list_display_links = ["flag_name", "in_words"]
    list_filter = ["flag_name", "changed_at"]
    list_select_related = ["changed_by"]
    search_fields = ["flag_name", "reason", "changed_by__email"]
    show_full_result_count = False
    fields = ["flag_name", "difference", "state_before", "state_after", "reason", "changed_by", "changed_at"]
    readonly_fields = fields
    actions_detail = ["restore"]

    @display(description="Change")
    def in_words(self, change: FlagChange) -> str:
        before, after = state_in_words(change.before), state_in_words(change.after)
        if before != after:
            return f"{before} → {after}"
        return ", ".join(part.label for part in differences(change.before, change.after)).lower()

    @display(description="State before")
    def state_before(self, change: FlagChange) -> str:
        return state_in_words(change.before)

    @display(description="State after")
    def state_after(self, change: FlagChange) -> str:
        return state_in_words(change.after)

    @display(description="What changed")
    def difference(self, change: FlagChange) -> str:
        public_ids = {one for state in (change.before, change.after) for one in (state or {}).get("users", [])}
        people = get_user_model().objects.filter(public_id__in=public_ids)
        lines = differences(change.before, change.after, dict(people.values_list("public_id", "email")))
        return format_html_join("", "<div><strong>{}</strong>: {} → {}</div>", lines)

    @action(
        description="Restore the state before",
        permissions=["restore"],
        url_path="restore",
        icon="undo",
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": "Restore the state before",
            "description": "The flag becomes what it was before this change. That is recorded as a change of its own.",
            "form_class": RestoreForm,
            "form_submit_text": "Restore",
        },
    )
    def restore(self, request: HttpRequest, form: RestoreForm, object_id: str) -> HttpResponse:
        change = self.get_object(request, object_id)
        if change is None:
            return HttpResponse(headers={"HX-Redirect": reverse("admin:flags_flagchange_changelist")})
        try:
            reason = form.cleaned_data["reason"]
            done = restore_flag(change=change, by=request.user, reason=reason, now=timezone.now())
        except RegistryError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            words = f"{change.flag_name} is {state_in_words(change.before)} again." if done else "It is that already."
            self.message_user(request, words, messages.SUCCESS if done else messages.WARNING)
        # The dialog's script follows this header; a redirect would be shown inside the dialog.
        return HttpResponse(headers={"HX-Redirect": reverse("admin:flags_flagchange_changelist")})

    def has_restore_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("flags.change_fieldflag")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: FlagChange | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FlagChange | None = None) -> bool:
        return False
