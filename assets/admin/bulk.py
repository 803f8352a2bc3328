"""Bulk actions on assets. `common.admin_actions` shows their confirmation page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from assets.admin.forms import DeleteForm, EditTagsForm
from assets.editing import curate_assets, delete_assets, edit_tags, restore_assets


@dataclass(frozen=True)
class BulkAction:
    """`run(pks, user, form.cleaned_data)` returns the number of changed assets."""

    name: str
    title: str
    past_tense: str
    permission: str
    run: Callable[[list[int], User, dict[str, Any]], int]
    form: type[forms.Form] = forms.Form
    is_dangerous: bool = False


def _edit_tags(pks: list[int], user: User, data: dict[str, Any]) -> int:
    return edit_tags(
        pks, add=data["add"], remove=data["remove"], by=user, now=timezone.now(), max_tags=settings.ASSETS_MAX_TAGS
    )


def _curate(pks: list[int], user: User, data: dict[str, Any]) -> int:
    return curate_assets(pks, by=user, now=timezone.now())


def _delete(pks: list[int], user: User, data: dict[str, Any]) -> int:
    return delete_assets(pks, by=user, now=timezone.now(), reason=data["reason"])


def _restore(pks: list[int], user: User, data: dict[str, Any]) -> int:
    return restore_assets(pks, by=user, now=timezone.now())


_ACTIONS = (
    BulkAction("edit_tags", "Edit tags", "changed", "assets.change_asset", _edit_tags, EditTagsForm),
    BulkAction("curate", "Curate", "curated", "assets.curate_asset", _curate),
    BulkAction(
        "soft_delete", "Move to trash", "moved to trash", "assets.delete_asset", _delete, DeleteForm, is_dangerous=True
    ),
    BulkAction("restore", "Restore", "restored", "assets.restore_asset", _restore),
)
BULK_ACTIONS = {action.name: action for action in _ACTIONS}
