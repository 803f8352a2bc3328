"""Failed rows, which staff correct and retry; and the changes of runs."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action, display

from backfills.models import BackfillChange, BackfillRowError, BackfillRun
from backfills.rules import get_rule
from backfills.run_control import retry_row
from common.errors import NotFound
from common.model_admin import ReadOnlyModelAdmin

_MAX_VALUE_LENGTH = 80


def row_link(rule_name: str, row_pk: int, label: str = "") -> str:
    """Return a link to the row's own page; its label if there is no such page."""
    text = label or str(row_pk)
    try:
        model = apps.get_model(get_rule(rule_name).model_label)
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row_pk])
    except (NotFound, NoReverseMatch):
        return text
    return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', url, text)


class UnresolvedFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unresolved", "Unresolved"), ("resolved", "Resolved")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[BackfillRowError]:
        if self.value() == "unresolved":
            return queryset.unresolved()
        return queryset.exclude(resolved_at=None) if self.value() == "resolved" else queryset


class FieldFilter(DropdownFilter):
    """Offer the fields of all runs; their number is small, that of the changes is not."""

    title = "field"
    parameter_name = "field"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        written = {field for fields in BackfillRun.objects.values_list("fields", flat=True) for field in fields}
        return [(field, field) for field in sorted(written)]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[BackfillChange]:
        return queryset.filter(field=self.value()) if self.value() else queryset


@admin.register(BackfillRowError)
class BackfillRowErrorAdmin(ReadOnlyModelAdmin):
    list_display = ("row", "reason", "run", "attempts", "resolution", "failed_at")
    list_display_links = None
    list_filter = (UnresolvedFilter, "run__rule_name")
    list_select_related = ("run",)
    ordering = ("-run_id", "-row_pk")
    sortable_by = ()
    search_fields = ("label", "reason")
    actions = ("retry",)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("backfills.control_backfillrun")

    @action(description="Retry", permissions=["retry"])
    def retry(self, request: HttpRequest, row_errors: QuerySet[BackfillRowError]) -> None:
        pks = row_errors.values_list("pk", flat=True)
        retried = [retry_row(pk, by=request.user.email, now=timezone.now()) for pk in pks]
        resolved = sum(one.resolved_at is not None for one in retried)
        self.message_user(request, f"{resolved} of {len(retried)} rows resolved. Failed rows show their reason.")

    @display(description="Row", ordering="label")
    def row(self, row_error: BackfillRowError) -> str:
        return row_link(row_error.run.rule_name, row_error.row_pk, row_error.label)


@admin.register(BackfillChange)
class BackfillChangeAdmin(ReadOnlyModelAdmin):
    list_display = ("row", "field", "before_text", "after_text", "outcome", "run")
    list_display_links = None
    list_filter = ("outcome", FieldFilter, "run__rule_name")
    list_select_related = ("run",)
    ordering = ("-run_id", "-row_pk", "-field")
    sortable_by = ()
    search_fields = ("row_pk",)  # enables the search box; `get_search_results` does the search
    search_help_text = "Row ID"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[BackfillChange], search_term: str
    ) -> tuple[QuerySet[BackfillChange], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        is_id = text.isascii() and text.isdigit() and len(text) < 19
        return (queryset.filter(row_pk=int(text)) if is_id else queryset.none()), False

    @display(description="Row", ordering="row_pk")
    def row(self, change: BackfillChange) -> str:
        return row_link(change.run.rule_name, change.row_pk)

    @display(description="Before")
    def before_text(self, change: BackfillChange) -> str:
        return _value_text(change.before)

    @display(description="After")
    def after_text(self, change: BackfillChange) -> str:
        return _value_text(change.after)


def _value_text(value: Any) -> str:
    return "NULL" if value is None else Truncator(str(value)).chars(_MAX_VALUE_LENGTH)
