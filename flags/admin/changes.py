"""Admin of flag changes, with an action that restores the state before a change."""

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from common.errors import RegistryError
from common.model_admin import ReadOnlyModelAdmin
from flags.admin.forms import ReasonField
from flags.audit import describe_state, diff_states
from flags.editing import restore_flag
from flags.models import FlagChange


class RestoreForm(BaseDialogForm):
    reason = ReasonField(label="Reason")


@admin.register(FlagChange)
class FlagChangeAdmin(ReadOnlyModelAdmin):
    list_display = ["flag_name", "summary", "reason", "changed_by", "changed_at"]
    list_display_links = ["flag_name", "summary"]
    list_filter = ["flag_name", "changed_at"]
    list_select_related = ["changed_by"]
    search_fields = ["flag_name", "reason", "changed_by__email"]
    fields = ["flag_name", "differences", "state_before", "state_after", "reason", "changed_by", "changed_at"]
    readonly_fields = fields
    actions_detail = ["restore"]

    @display(description="Change")
    def summary(self, change: FlagChange) -> str:
        before, after = describe_state(change.before), describe_state(change.after)
        if before != after:
            return f"{before} → {after}"
        return ", ".join(difference.label for difference in diff_states(change.before, change.after)).lower()

    @display(description="State before")
    def state_before(self, change: FlagChange) -> str:
        return describe_state(change.before)

    @display(description="State after")
    def state_after(self, change: FlagChange) -> str:
        return describe_state(change.after)

    @display(description="Changed settings")
    def differences(self, change: FlagChange) -> str:
        states = (change.before, change.after)
        public_ids = {public_id for state in states for public_id in (state or {}).get("users", [])}
        users = get_user_model().objects.filter(public_id__in=public_ids)
        lines = diff_states(change.before, change.after, dict(users.values_list("public_id", "email")))
        return format_html_join("", "<div><strong>{}</strong>: {} → {}</div>", lines)

    @action(
        description="Restore the state before",
        permissions=["restore"],
        url_path="restore",
        icon="undo",
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": "Restore the state before",
            "description": "Restores the settings before this change and records that as a new change.",
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
            restored = restore_flag(change=change, by=request.user, reason=reason, now=timezone.now())
        except RegistryError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            message = f"{change.flag_name} is {describe_state(change.before)} again."
            if restored:
                self.message_user(request, message, messages.SUCCESS)
            else:
                self.message_user(request, "The flag has this state already.", messages.WARNING)
        # HTMX follows this header; it would show a redirect inside the dialog.
        return HttpResponse(headers={"HX-Redirect": reverse("admin:flags_flagchange_changelist")})

    def has_restore_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("flags.change_fieldflag")
