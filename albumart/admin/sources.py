"""Where pictures may come from, and how those sources are."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from simple_history.admin import SimpleHistoryAdmin
from unfold.decorators import action, display

from albumart.models import ArtworkSource
from albumart.sources import reset_circuit
from common.model_admin import BaseModelAdmin

_SHOWN_CHANGES = 20


@admin.register(ArtworkSource)
class ArtworkSourceAdmin(SimpleHistoryAdmin, BaseModelAdmin):
    list_display = ("pattern", "label", "is_enabled", "requests_per_minute", "breaker_state", "failures", "rest")
    list_filter = ("is_enabled", "breaker")
    search_fields = ("pattern",)
    actions = ("reset_breakers",)
    fields = (
        "pattern", "label", "is_enabled", "requests_per_minute", "max_redirects", "treat_403_as_rate_limit",
        ("breaker_state", "failures"), "rest", "last_error", "breaker_changes",
    )  # fmt: skip
    readonly_fields = ("breaker_state", "failures", "rest", "last_error", "breaker_changes")

    def has_reset_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("albumart.reset_circuit")

    def save_model(self, request: HttpRequest, obj: ArtworkSource, form: Any, change: bool) -> None:
        # Only what the form holds: a worker may have moved the breaker meanwhile.
        obj.save(update_fields=list(form.cleaned_data) if change else None)

    @action(description="Reset the breaker", permissions=["reset"])
    def reset_breakers(self, request: HttpRequest, sources: QuerySet[ArtworkSource]) -> None:
        for source in sources:
            reset_circuit(source.pk, by=request.user.email, now=timezone.now())
        self.message_user(request, f"{len(sources)} sources are asked as usual again.")

    @display(description="Breaker", label={"closed": "success", "open": "danger", "half_open": "warning"})
    def breaker_state(self, source: ArtworkSource) -> str:
        return source.breaker

    @display(description="Blocked until")
    def rest(self, source: ArtworkSource) -> str:
        until = source.blocked_until(timezone.now())
        return f"{until:%Y-%m-%d %H:%M:%S} UTC" if until else ""

    @display(description="Circuit breaker history")
    def breaker_changes(self, source: ArtworkSource) -> str:
        changes = source.breaker_changes.all()[:_SHOWN_CHANGES]
        return format_html_join(
            "", "<div>{}  {} to {}  {} {}</div>",
            ((f"{c.changed_at:%Y-%m-%d %H:%M:%S}", c.before, c.after, c.reason, c.changed_by) for c in changes),
        ) or "nothing yet"  # fmt: skip
