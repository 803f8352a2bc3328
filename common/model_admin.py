"""What every page of the staff admin shares."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from common.errors import RegistryError

COUNTED_ROWS = 10_000  # counted in a few milliseconds; a million takes seconds


class CappedCount(int):
    """A number to arithmetic, "10,000+" to a reader."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


class CappedPaginator(Paginator):
    """Counts and pages through COUNTED_ROWS at most, so that a list of a million rows opens like one of a hundred.

    What lies deeper is found by search and filters.
    """

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        found = rows.order_by()[: COUNTED_ROWS + 1].count()
        return found if found <= COUNTED_ROWS else CappedCount(COUNTED_ROWS)


class CappedChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.get_filters_params():
            self.full_result_count = self.result_count  # nothing was narrowed, so the page offers no "Show all"


class BaseModelAdmin(ModelAdmin):
    """Capped counts, and our errors as messages: verbs may raise them in actions, saves and deletions."""

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
            # Nothing was written. Once more, with a form that knows the refusal: what was typed is not lost.
            request.admin_error = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form_class = super().get_form(request, obj, change=change, **kwargs)
        error = getattr(request, "admin_error", None)
        return _refused_form(form_class, error) if error else form_class

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


def _refused_form(form_class: Any, error: RegistryError) -> Any:
    class RefusedForm(form_class):
        def clean(self) -> Any:
            cleaned = super().clean()
            for field_error in error.field_errors:
                self.add_error(field_error.field if field_error.field in self.fields else None, field_error.message)
            if not error.field_errors:
                self.add_error(None, error.message)
            return cleaned

    return RefusedForm


class ReadOnlyModelAdmin(BaseModelAdmin):
    """Rows that machines write and staff only look at."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
