"""Base classes of all admin pages."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from common.errors import RegistryError

COUNTED_ROWS = 10_000  # counting these takes milliseconds, counting a million takes seconds


class CappedCount(int):
    """An integer that is displayed with a plus sign: "10,000+"."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


class CappedPaginator(Paginator):
    """Count at most COUNTED_ROWS rows, so that the time of a list does not grow with the table.

    Rows beyond this number are reached by search and filters.
    """

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        number = rows.order_by()[: COUNTED_ROWS + 1].count()
        return number if number <= COUNTED_ROWS else CappedCount(COUNTED_ROWS)


class CappedChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.get_filters_params():
            self.full_result_count = self.result_count  # without a filter the page needs no "Show all" link


class BaseModelAdmin(ModelAdmin):
    """Capped counts, and RegistryErrors of actions, saves and deletions as messages."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CappedChangeList

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except RegistryError as error:
            # The transaction was rolled back. Render the form again with the error, so that the input is not lost.
            request.admin_error = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form_class = super().get_form(request, obj, change=change, **kwargs)
        error = getattr(request, "admin_error", None)
        return _form_with_error(form_class, error) if error else form_class

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _render_errors(request, super().delete_view, request, *args, **kwargs)

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return _render_errors(request, super().response_action, request, queryset)


def _render_errors(request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return view(*args, **kwargs)
    except RegistryError as error:
        for text in [field_error.message for field_error in error.field_errors] or [error.message]:
            messages.error(request, text)
        return HttpResponseRedirect(request.get_full_path())


def _form_with_error(form_class: Any, error: RegistryError) -> Any:
    class FormWithError(form_class):
        def clean(self) -> Any:
            cleaned = super().clean()
            for field_error in error.field_errors:
                self.add_error(field_error.field if field_error.field in self.fields else None, field_error.message)
            if not error.field_errors:
                self.add_error(None, error.message)
            return cleaned

    return FormWithError


class ReadOnlyModelAdmin(BaseModelAdmin):
    """Admin of rows that staff can only view."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
