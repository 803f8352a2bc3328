"""Admin of sources and their circuit breakers."""

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

_MAX_SHOWN_CHANGES = 20


@admin.register(ArtworkSource)
class ArtworkSourceAdmin(SimpleHistoryAdmin, BaseModelAdmin):
    list_display = (
        "pattern", "label", "is_enabled", "requests_per_minute", "circuit", "consecutive_failures", "blocked_until",
    )  # fmt: skip
    list_filter = ("is_enabled", "circuit_state")
    search_fields = ("pattern",)
    actions = ("reset_circuits",)
    fields = (
        "pattern", "label", "is_enabled", "requests_per_minute", "max_redirects", "treat_403_as_rate_limit",
        ("circuit", "consecutive_failures"), "blocked_until", "last_error", "circuit_history",
    )  # fmt: skip
    readonly_fields = ("circuit", "consecutive_failures", "blocked_until", "last_error", "circuit_history")

    def has_reset_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("albumart.reset_circuit")

    def save_model(self, request: HttpRequest, obj: ArtworkSource, form: Any, change: bool) -> None:
        # Only the fields of the form: a worker may have changed the circuit breaker meanwhile.
        obj.save(update_fields=list(form.cleaned_data) if change else None)

    @action(description="Reset circuit breaker", permissions=["reset"])
    def reset_circuits(self, request: HttpRequest, sources: QuerySet[ArtworkSource]) -> None:
        for source in sources:
            reset_circuit(source.pk, by=request.user.email, now=timezone.now())
        self.message_user(request, f"Circuit breakers reset: {len(sources)}.")

    @display(
        description="Circuit breaker", ordering="circuit_state",
        label={"closed": "success", "open": "danger", "half_open": "warning"},
    )  # fmt: skip
    def circuit(self, source: ArtworkSource) -> str:
        return source.circuit_state

    @display(description="Blocked until")
    def blocked_until(self, source: ArtworkSource) -> str:
        until = source.blocked_until(timezone.now())
        return f"{until:%Y-%m-%d %H:%M:%S} UTC" if until else ""

    @display(description="Circuit breaker history")
    def circuit_history(self, source: ArtworkSource) -> str:
        changes = source.circuit_changes.all()[:_MAX_SHOWN_CHANGES]
        return format_html_join(
            "", "<div>{}  {} to {}  {} {}</div>",
            ((f"{c.changed_at:%Y-%m-%d %H:%M:%S}", c.before, c.after, c.reason, c.changed_by) for c in changes),
        ) or "No changes."  # fmt: skip
