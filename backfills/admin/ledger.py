"""Parked rows, to be mended and tried again; and every value a run wrote."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display

from backfills.models import BackfillChange, BackfillRowError
from backfills.rules import get_rule
from backfills.run_control import retry_row
from common.errors import NotFound
from common.model_admin import ReadOnlyModelAdmin


def row_link(rule_name: str, row_pk: int, label: str = "") -> str:
    """To the row's own page, where there is one."""
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
        return [("parked", "Parked"), ("resolved", "Resolved")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[BackfillRowError]:
        if self.value() == "parked":
            return queryset.open()
        return queryset.exclude(resolved_at=None) if self.value() == "resolved" else queryset


@admin.register(BackfillRowError)
class BackfillRowErrorAdmin(ReadOnlyModelAdmin):
    list_display = ("row", "reason", "run", "attempts", "resolution", "failed_at")
    list_display_links = None
    list_filter = (UnresolvedFilter, "run__rule_name")
    list_select_related = ("run",)
    search_fields = ("label", "reason")
    actions = ("retry",)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("backfills.steer_backfillrun")

    @action(description="Try again", permissions=["retry"])
    def retry(self, request: HttpRequest, parked: QuerySet[BackfillRowError]) -> None:
        done = [retry_row(pk, by=request.user.email, now=timezone.now()) for pk in parked.values_list("pk", flat=True)]
        solved = sum(one.resolved_at is not None for one in done)
        self.message_user(request, f"{solved} of {len(done)} are done; the others say why not.")

    @display(description="Row", ordering="label")
    def row(self, parked: BackfillRowError) -> str:
        return row_link(parked.run.rule_name, parked.row_pk, parked.label)


@admin.register(BackfillChange)
class BackfillChangeAdmin(ReadOnlyModelAdmin):
    list_display = ("row", "field", "before_text", "after_text", "outcome", "run")
    list_display_links = None
    list_filter = ("outcome", "field", "run__rule_name")
    list_select_related = ("run",)
    search_fields = ("=row_pk",)
    search_help_text = "Key of a row"

    @display(description="Row", ordering="row_pk")
    def row(self, change: BackfillChange) -> str:
        return row_link(change.run.rule_name, change.row_pk)

    @display(description="Before")
    def before_text(self, change: BackfillChange) -> str:
        return "nothing" if change.before is None else _short(change.before)

    @display(description="Written")
    def after_text(self, change: BackfillChange) -> str:
        return "nothing" if change.after is None else _short(change.after)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:79] + "…"
