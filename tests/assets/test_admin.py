"""Bulk actions of the asset admin."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts.models import User
from assets.models import Asset
from common.admin_actions import ConfirmedActionsModelAdmin
from tests.factories.accounts import UserFactory
from tests.factories.assets import make_asset, make_assets

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


@pytest.fixture
def admin(client: Client, admin_user: User) -> Client:
    client.force_login(admin_user)
    return client


def open_page(client: Client, action: str, assets: list[Asset]) -> Any:
    return client.post(list_url(), {"action": action, "_selected_action": [asset.pk for asset in assets]})


def list_url() -> str:
    return reverse("admin:assets_asset_changelist")


def bulk_url(action: str) -> str:
    return reverse("admin:assets_asset_bulk", args=[action])


def test_the_page_shows_the_selection_and_changes_nothing(admin: Client) -> None:
    assets = make_assets(14)
    page = open_page(admin, "soft_delete", assets).content.decode()
    assert "Move to trash 14 assets" in page
    assert assets[0].name in page
    assert "and 2 more" in page
    assert not Asset.objects.deleted().exists()


def test_a_confirmed_action_changes_the_selection_of_the_page(admin: Client, admin_user: User) -> None:
    assets = make_assets(3, tags=["old"])
    selection = open_page(admin, "edit_tags", assets[:2]).context["selection"]
    response = admin.post(bulk_url("edit_tags"), {"selection": selection, "add": "new", "remove": ""}, follow=True)
    assert "2 assets changed." in response.content.decode()
    assert [asset.tags for asset in Asset.objects.order_by("pk")] == [["old", "new"], ["old", "new"], ["old"]]
    response = admin.post(bulk_url("edit_tags"), {"selection": selection, "add": "new", "remove": ""}, follow=True)
    assert "0 assets changed. 2 unchanged." in response.content.decode()


def test_curate_trash_and_restore(admin: Client, admin_user: User) -> None:
    [asset] = make_assets(1)
    for action, data, field in (
        ("curate", {}, "curated_by"),
        ("soft_delete", {"reason": "a double"}, "deleted_by"),
    ):
        selection = open_page(admin, action, [asset]).context["selection"]
        admin.post(bulk_url(action), data | {"selection": selection})
        assert getattr(Asset.objects.get(), field) == admin_user.email
    selection = admin.post(list_url() + "?state=deleted", {"action": "restore", "_selected_action": [asset.pk]})
    admin.post(bulk_url("restore"), {"selection": selection.context["selection"]})
    assert not Asset.objects.deleted().exists()


def test_an_invalid_form_and_a_rejected_change_show_the_page_again(admin: Client) -> None:
    bare = make_asset(description="")
    selection = open_page(admin, "edit_tags", [bare]).context["selection"]
    page = admin.post(bulk_url("edit_tags"), {"selection": selection}).content.decode()
    assert "Enter a tag to add or remove." in page
    page = admin.post(bulk_url("curate"), {"selection": selection}).content.decode()
    assert f"{bare.name} has no description and cannot be curated" in page
    assert Asset.objects.get().curated_at is None


@pytest.mark.parametrize("selection", ["", "tampered", "of another model"])
def test_an_invalid_selection_changes_nothing(admin: Client, selection: str) -> None:
    asset = make_asset()
    if selection == "of another model":
        selection = signing.dumps([asset.pk], salt="common.admin_actions.bugreports.bugreport", compress=True)
    response = admin.post(bulk_url("curate"), {"selection": selection}, follow=True)
    assert "The selection has expired." in response.content.decode()
    assert Asset.objects.get().curated_at is None


def test_a_larger_selection_than_the_limit_is_rejected(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConfirmedActionsModelAdmin, "max_confirmed_rows", lambda self: 2)
    response = open_page(admin, "curate", make_assets(3))
    assert "More than 2 assets are selected." in admin.get(response.url).content.decode()


def test_an_action_requires_its_permission(client: Client) -> None:
    user = UserFactory(is_staff=True)
    permissions = Permission.objects.filter(content_type__app_label="assets")
    user.user_permissions.set(permissions.filter(codename__in=["view_asset", "curate_asset"]))
    client.force_login(user)
    asset = make_asset()
    page = client.get(list_url()).content.decode()
    assert 'value="curate"' in page
    assert 'value="soft_delete"' not in page
    selection = open_page(client, "curate", [asset]).context["selection"]
    assert client.post(bulk_url("soft_delete"), {"selection": selection, "reason": "x"}).status_code == 403
    assert not Asset.objects.deleted().exists()
    assert client.get(bulk_url("curate")).status_code == 405
    assert client.post(bulk_url("unknown")).status_code == 404
