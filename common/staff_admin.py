"""What every page of the staff admin shares."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

from common.errors import RegistryError

COUNTED_ROWS = 10_000


class CappedPaginator(Paginator):
    """Counts no further than COUNTED_ROWS + 1, so that a list of a million rows opens like one of a hundred."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not hasattr(rows, "query"):
            return len(rows)
        return rows.order_by()[: COUNTED_ROWS + 1].count()


class StaffAdmin(ModelAdmin):
    """Capped counts, and our errors as messages: a refused wish brings staff back to their page with the reason."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._answer_refusals(request, super().changeform_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._answer_refusals(request, super().delete_view, request, *args, **kwargs)

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return self._answer_refusals(request, super().response_action, request, queryset)

    def _answer_refusals(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except RegistryError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(request.get_full_path())


class ReadOnlyAdmin(StaffAdmin):
    """Rows that machines write and staff only look at."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
