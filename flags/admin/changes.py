"""The record of changes, and the way back from one."""

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from common.errors import RegistryError
from flags.admin.forms import ReasonField
from flags.audit import describe_state, diff_states
from flags.editing import restore_flag
from flags.models import FlagChange


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
        before, after = describe_state(change.before), describe_state(change.after)
        if before != after:
            return f"{before} → {after}"
        return ", ".join(part.label for part in diff_states(change.before, change.after)).lower()

    @display(description="State before")
    def state_before(self, change: FlagChange) -> str:
        return describe_state(change.before)

    @display(description="State after")
    def state_after(self, change: FlagChange) -> str:
        return describe_state(change.after)

    @display(description="What changed")
    def difference(self, change: FlagChange) -> str:
        public_ids = {one for state in (change.before, change.after) for one in (state or {}).get("users", [])}
        people = get_user_model().objects.filter(public_id__in=public_ids)
        lines = diff_states(change.before, change.after, dict(people.values_list("public_id", "email")))
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
            words = f"{change.flag_name} is {describe_state(change.before)} again." if done else "It is that already."
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
