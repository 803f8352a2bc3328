"""Base classes of all admin pages."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from common.change_list import BaseChangeList, KeyPaginator
from common.errors import RegistryError


class BaseModelAdmin(ModelAdmin):
    """Lists that cost the same on every page, and RegistryErrors of actions, saves and deletions as messages."""

    change_list_template = "admin/common/change_list.html"
    paginator = KeyPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # it counts all rows for each choice of each filter
    list_per_page = 50
    list_filter_submit = True

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BaseChangeList

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
