"""Actions of the admin on selected rows that a page confirms first.

The page has the selected primary keys in one signed field. So the limit on form fields does not cut the selection, rows
added meanwhile do not change it, and the browser cannot.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from common.errors import RegistryError
from common.model_admin import BaseModelAdmin

_SALT = "common.admin_actions"
_MAX_AGE_SECONDS = 3600
_SHOWN_ROWS = 12


class ConfirmedAction(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def past_tense(self) -> str:
        """Ends the message "3 assets ..."."""

    @property
    def permission(self) -> str: ...

    @property
    def form(self) -> type[forms.Form]: ...

    @property
    def is_dangerous(self) -> bool:
        """Colors the button red."""


class ConfirmedActionsModelAdmin(BaseModelAdmin):
    """Adds `confirmed_actions` to the actions of the list. The page shows the count, some rows and the form."""

    confirmed_actions: Mapping[str, Any] = {}
    confirm_template = "admin/common/confirm.html"
    row_name = "row"

    def run_confirmed(self, request: HttpRequest, action: Any, pks: list[int], data: dict[str, Any]) -> int:
        """Run the action with the cleaned data of its form; return the number of changed rows."""
        raise NotImplementedError

    def max_confirmed_rows(self) -> int:
        return 5000  # a few seconds in one request

    def confirmation_context(self, request: HttpRequest, pks: list[int]) -> dict[str, Any]:
        shown = [str(row) for row in self.model._default_manager.filter(pk__in=pks[:_SHOWN_ROWS]).order_by("pk")]
        return {"shown": shown, "more": len(pks) - len(shown)}

    def list_url(self, request: HttpRequest) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def bulk_url(self, request: HttpRequest, name: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_bulk", args=[name])

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if IS_POPUP_VAR in request.GET:
            return actions
        return {
            name: (_open_confirmation(action), name, f"{action.title} …")
            for name, action in self.confirmed_actions.items()
            if request.user.has_perm(action.permission)
        } | actions

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_bulk"
        return [path("bulk/<str:name>/", self.admin_site.admin_view(self.bulk_view), name=name), *super().get_urls()]

    def confirm_view(self, request: HttpRequest, action: ConfirmedAction, rows: QuerySet[Any]) -> HttpResponse | None:
        limit = self.max_confirmed_rows()
        pks = list(rows.order_by("pk").values_list("pk", flat=True)[: limit + 1])
        if len(pks) > limit:
            text = f"More than {limit:,} {self.row_name}s are selected. Filter the list and select again."
            messages.error(request, text)
            return None
        return self._confirmation(request, action, pks, action.form())

    def bulk_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Run an action when its page is submitted."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        action = self.confirmed_actions.get(name)
        if action is None:
            raise Http404("Unknown action")
        if not request.user.has_perm(action.permission):
            raise PermissionDenied
        try:
            pks = signing.loads(request.POST.get("selection", ""), salt=self._salt, max_age=_MAX_AGE_SECONDS)
        except signing.BadSignature:
            messages.error(request, f"The selection has expired. Select the {self.row_name}s again.")
            return HttpResponseRedirect(self.list_url(request))
        form = action.form(request.POST)
        if not form.is_valid():
            return self._confirmation(request, action, pks, form)
        try:
            count = self.run_confirmed(request, action, pks, form.cleaned_data)
        except RegistryError as error:
            form.add_error(None, error.message)
            return self._confirmation(request, action, pks, form)
        unchanged = f" {len(pks) - count:,} unchanged." if count < len(pks) else ""
        messages.success(request, f"{self.count_text(count)} {action.past_tense}.{unchanged}")
        return HttpResponseRedirect(self.list_url(request))

    def count_text(self, count: int) -> str:
        return f"{count:,} {self.row_name}{'' if count == 1 else 's'}"

    @property
    def _salt(self) -> str:
        return f"{_SALT}.{self.opts.label_lower}"  # a selection of one model is invalid for another

    def _confirmation(
        self, request: HttpRequest, action: ConfirmedAction, pks: list[int], form: forms.Form
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{action.title}: {self.count_text(len(pks))}",
            "action": action,
            "form": form,
            "count_text": self.count_text(len(pks)),
            "selection": signing.dumps(pks, salt=self._salt, compress=True),
            "submit": f"{action.title} {self.count_text(len(pks))}",
            "is_dangerous": action.is_dangerous,
            "submit_url": self.bulk_url(request, action.name),
            "back_url": self.list_url(request),
        }
        return TemplateResponse(request, self.confirm_template, context | self.confirmation_context(request, pks))


def _open_confirmation(action: ConfirmedAction) -> Callable[..., HttpResponse | None]:
    return lambda model_admin, request, rows: model_admin.confirm_view(request, action, rows)
