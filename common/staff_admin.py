"""What every staff admin shares: refusals become messages, and no list counts a big table to the end."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

from common.errors import RegistryError

COUNT_LIMIT = 10_000  # PostgreSQL counts this many in a few milliseconds; a million takes seconds


class CappedCount(int):
    """`COUNT_LIMIT` to arithmetic, "10,000+" to a reader."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


class CappedPaginator(Paginator):
    """Counts up to `COUNT_LIMIT` rows and pages through those; what lies deeper is found by search and filters."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        found = rows.order_by().values("pk")[: COUNT_LIMIT + 1].count()
        return found if found <= COUNT_LIMIT else CappedCount(COUNT_LIMIT)


def show_refusal(request: HttpRequest, refusal: RegistryError) -> None:
    for text in [fault.message for fault in refusal.faults] or [refusal.message]:
        messages.error(request, text)


def refusals_as_messages(method: Callable[..., HttpResponse | None]) -> Callable[..., HttpResponse | None]:
    """For unfold's detail, row and list actions, which Django's own handling does not pass through."""

    @wraps(method)
    def run(self: "StaffAdmin", request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        try:
            return method(self, request, *args, **kwargs)
        except RegistryError as refusal:
            show_refusal(request, refusal)
            return HttpResponseRedirect(self.page_of(kwargs.get("object_id")))

    return run


class StaffAdmin(ModelAdmin):
    """Base of all our admins. Verbs may raise the kinds of `common.errors` in actions, saves and deletions."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def page_of(self, object_id: Any = None) -> str:
        """Where to go back to: the row's page, or the list without a row."""
        base = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}"
        return reverse(f"{base}_change", args=[object_id]) if object_id else reverse(f"{base}_changelist")

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        try:
            return super().response_action(request, queryset)
        except RegistryError as refusal:
            show_refusal(request, refusal)
            return HttpResponseRedirect(request.get_full_path())

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except RegistryError as refusal:
            # Nothing was written. Once more, with a form that knows the refusal: what was typed is not lost.
            request.staff_refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form_class = super().get_form(request, obj, change=change, **kwargs)
        refusal: RegistryError | None = getattr(request, "staff_refusal", None)
        return form_class if refusal is None else _refused(form_class, refusal)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except RegistryError as refusal:
            show_refusal(request, refusal)
            return HttpResponseRedirect(self.page_of(object_id))


def _refused(form_class: Any, refusal: RegistryError) -> Any:
    class RefusedForm(form_class):
        def clean(self) -> Any:
            cleaned = super().clean()
            for fault in refusal.faults:
                self.add_error(fault.field if fault.field in self.fields else None, fault.message)
            if not refusal.faults:
                self.add_error(None, refusal.message)
            return cleaned

    return RefusedForm
