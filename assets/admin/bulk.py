"""Bulk actions on assets, with a confirmation page.

The page contains the selected primary keys as one signed field. So the limit on form fields does not cut the selection,
and rows that are added or deleted meanwhile do not change it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from assets.admin.forms import ConfirmForm, DeleteForm, EditTagsForm
from assets.editing import curate_assets, delete_assets, edit_tags, restore_assets
from assets.models import Asset
from common.errors import RegistryError

MAX_SELECTED = 5000  # a few seconds in one request
_SHOWN = 12
_SALT = "assets.bulk"


@dataclass(frozen=True)
class BulkAction:
    """`run(pks, user, form.cleaned_data)` returns the number of changed assets."""

    title: str
    done: str
    permission: str
    form: type[forms.Form]
    run: Callable[[list[int], Any, dict[str, Any]], int]
    is_dangerous: bool = False


def _edit_tags(pks: list[int], user: Any, data: dict[str, Any]) -> int:
    return edit_tags(
        pks, add=data["add"], remove=data["remove"], by=user, now=timezone.now(), max_tags=settings.ASSETS_MAX_TAGS
    )


BULK_ACTIONS = {
    "tags": BulkAction("Edit tags", "changed", "assets.change_asset", EditTagsForm, _edit_tags),
    "curate": BulkAction(
        "Curate", "curated", "assets.curate_asset", ConfirmForm,
        lambda pks, user, _: curate_assets(pks, by=user, now=timezone.now()),
    ),
    "delete": BulkAction(
        "Move to trash", "moved to trash", "assets.delete_asset", DeleteForm,
        lambda pks, user, data: delete_assets(pks, by=user, now=timezone.now(), reason=data["reason"]),
        is_dangerous=True,
    ),
    "restore": BulkAction(
        "Restore", "restored", "assets.restore_asset", ConfirmForm,
        lambda pks, user, _: restore_assets(pks, by=user, now=timezone.now()),
    ),
}  # fmt: skip


def bulk_confirmation_page(
    request: HttpRequest, name: str, assets: Any, context: dict[str, Any]
) -> HttpResponse | None:
    """Respond with the confirmation page for the selected assets."""
    pks = list(assets.order_by("pk").values_list("pk", flat=True)[: MAX_SELECTED + 1])
    if len(pks) > MAX_SELECTED:
        messages.error(request, f"More than {MAX_SELECTED} assets are selected. Filter the list and select again.")
        return None
    return _show(request, name, pks, BULK_ACTIONS[name].form(), context)


def run_bulk(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    """Check the submitted form, run the action and redirect to the list."""
    action = BULK_ACTIONS.get(name)
    if action is None or not request.user.has_perm(action.permission):
        raise PermissionDenied
    try:
        pks = signing.loads(request.POST.get("selection", ""), salt=_SALT, max_age=3600)
    except signing.BadSignature:
        messages.error(request, "The selection has expired. Select the assets again.")
        return HttpResponseRedirect(reverse("admin:assets_asset_changelist"))
    form = action.form(request.POST)
    if not form.is_valid():
        return _show(request, name, pks, form, context)
    try:
        count = action.run(pks, request.user, form.cleaned_data)
    except RegistryError as error:
        form.add_error(None, error.message)
        return _show(request, name, pks, form, context)
    unchanged = len(pks) - count
    messages.success(request, f"{count} assets {action.done}." + (f" {unchanged} unchanged." if unchanged else ""))
    return HttpResponseRedirect(reverse("admin:assets_asset_changelist"))


def _show(request: HttpRequest, name: str, pks: list[int], form: forms.Form, context: dict[str, Any]) -> HttpResponse:
    shown = list(Asset.objects.filter(pk__in=pks[:_SHOWN]).order_by("pk").values_list("name", flat=True))
    return TemplateResponse(
        request,
        "admin/assets/bulk.html",
        context
        | {
            "title": f"{BULK_ACTIONS[name].title}: {len(pks)} assets",
            "action": BULK_ACTIONS[name],
            "form": form,
            "count": len(pks),
            "shown": shown,
            "more": len(pks) - len(shown),
            "selection": signing.dumps(pks, salt=_SALT, compress=True),
            "bulk_url": reverse("admin:assets_asset_bulk", args=[name]),
            "back_url": reverse("admin:assets_asset_changelist"),
        },
    )
