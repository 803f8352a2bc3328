"""Admin of flags. Edits go through `flags.editing`, which records them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display

from common.model_admin import BaseModelAdmin
from flags.admin.forms import ReasonField
from flags.admin.rollout import disable_flag, rollout_page, stage_dialog
from flags.audit import describe_state
from flags.editing import remove_stale_flag, update_flag
from flags.models import FieldFlag
from flags.registry import GATED_FIELDS_BY_FLAG

EVERYONE_CHOICES = [
    ("unknown", "The settings below apply"),
    ("true", "On for everyone"),
    ("false", "Off for everyone"),
]


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
class FieldFlagAdmin(BaseModelAdmin):
    form = FieldFlagForm
    list_display = ["name", "state", "gated_text", "last_change"]
    search_fields = ["name", "note"]
    readonly_fields = ["name", "description", "last_change"]
    actions = None
    actions_list = ["open_rollout"]
    fieldsets = [
        (None, {"fields": ["name", "description", "last_change"]}),
        ("Targeting", {"fields": ["everyone", "percent", "staff", "authenticated", "users", "groups"]}),
        ("Change reason", {"fields": ["note", "reason"]}),
    ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("rollout/", view(self.rollout_view), name="flags_rollout"),
            path("rollout/<str:name>/disable/", view(self.disable_view), name="flags_rollout_disable"),
            path("rollout/<str:name>/<str:stage>/", view(self.stage_view), name="flags_rollout_stage"),
            *super().get_urls(),
        ]

    @action(description="Staged rollout", url_path="staged", icon="stairs")
    def open_rollout(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:flags_rollout"))

    def rollout_view(self, request: HttpRequest) -> HttpResponse:
        return rollout_page(self, request)

    def stage_view(self, request: HttpRequest, name: str, stage: str) -> HttpResponse:
        return stage_dialog(self, request, name, stage)

    def disable_view(self, request: HttpRequest, name: str) -> HttpResponse:
        return disable_flag(self, request, name)

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        # Not as an attribute, because Django's checks would require the admin of users, which is in a higher app.
        related = {"users": get_user_model(), "groups": Group}
        return [field for field, model in related.items() if self.admin_site.is_registered(model)]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).with_members().with_last_change().prefetch_related("groups")

    @display(description="State", label={"off": "info", "on": "success", "partly": "warning"})
    def state(self, flag: FieldFlag) -> tuple[str, str]:
        text = describe_state(
            {
                "everyone": flag.everyone,
                "percent": flag.percent,
                "staff": flag.staff,
                "authenticated": flag.authenticated,
                "users": flag.user_pks,
                "groups": [group.name for group in flag.groups.all()],
            }
        )
        return {"off": "off", "on for everyone": "on"}.get(text, "partly"), text

    @display(description="Gates")
    def gated_text(self, flag: FieldFlag) -> str:
        gated = GATED_FIELDS_BY_FLAG.get(flag.name)
        return gated.gated_text if gated else "nothing: the code does not use this flag"

    @display(description="Description")
    def description(self, flag: FieldFlag) -> str:
        gated = GATED_FIELDS_BY_FLAG.get(flag.name)
        return f"{gated.description} Gates: {gated.gated_text}." if gated else self.gated_text(flag)

    @display(description="Last change")
    def last_change(self, flag: FieldFlag) -> str:
        if flag.last_changed_at is None:
            return "never changed"
        return format_html(
            '<a class="underline" href="{}?flag_name__exact={}">{} by {}</a>',
            reverse("admin:flags_flagchange_changelist"),
            flag.name,
            f"{flag.last_changed_at:%Y-%m-%d %H:%M} UTC",
            flag.last_changed_by or "system",
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FieldFlag | None = None) -> bool:
        return obj is not None and obj.name not in GATED_FIELDS_BY_FLAG and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: FieldFlag, form: Any, change: bool) -> None:
        # Only changed fields, so that a concurrent edit of other fields is kept.
        edits = {name: form.cleaned_data[name] for name in form.changed_data if name in FieldFlagForm.Meta.fields}
        reason = form.cleaned_data["reason"]
        if not update_flag(name=obj.name, by=request.user, reason=reason, now=timezone.now(), **edits):
            self.message_user(request, "No settings changed, so nothing was recorded.", messages.WARNING)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: `save_model` has set users and groups, as part of the recorded change."""

    def delete_model(self, request: HttpRequest, obj: FieldFlag) -> None:
        reason = "The code does not use this flag"
        remove_stale_flag(name=obj.name, by=request.user, reason=reason, now=timezone.now())
