"""Commands, demo users, groups, and the password hasher of production."""

import importlib
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.demo import DEMO_PASSWORD, ensure_demo_users
from accounts.models import User
from accounts.registration import ensure_user
from accounts.service_keys import authenticate_service_key
from common.errors import Conflict
from config.settings import base
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip()


def test_create_service_key_prints_a_valid_key():
    assert (
        authenticate_service_key(run("create_service_key", "recommendations"), timezone.now()).name == "recommendations"
    )


@pytest.mark.parametrize("name", ["taken", "", "x" * 101, "a\nb"])
def test_create_service_key_rejects_invalid_names(name):
    run("create_service_key", "taken")
    with pytest.raises(CommandError):
        run("create_service_key", name)


def test_make_admin_grants_the_role():
    user = UserFactory()
    run("make_admin", user.email.upper())
    user.refresh_from_db()
    assert user.is_admin


def test_make_admin_reports_an_unknown_email():
    with pytest.raises(CommandError, match=r"nobody@example\.com"):
        run("make_admin", "nobody@example.com")


def test_demo_users_are_created_once_and_can_sign_in(api):
    assert [user.email for user in ensure_demo_users()] == [user.email for user in ensure_demo_users()]
    for email, name, role in [
        ("admin@demo.test", "demo-admin", "admin"),
        ("editor@demo.test", "demo-editor", "editor"),
    ]:
        body = {"email": email, "password": DEMO_PASSWORD}
        user = api.post("/api/auth/login", body, format="json").json()["data"]["user"]
        assert (user["username"], user["role"]) == (name, role)
    editor = User.objects.get(email="editor@demo.test")
    assert editor.is_staff
    assert not editor.is_superuser
    assert editor.has_perm("assets.change_asset")
    assert not editor.has_perm("accounts.view_user")


@pytest.mark.parametrize("name", ["production", "staging", "base"])
def test_demo_users_are_rejected_outside_development(settings, name):
    settings.ENVIRONMENT_NAME = name
    with pytest.raises(Conflict):
        ensure_demo_users()
    assert not User.objects.exists()


def test_ensure_user_creates_a_user_without_a_usable_password():
    user = ensure_user(email=" Theo@Studio.example ")
    assert user == ensure_user(email="theo@studio.example")
    assert not user.has_usable_password()


def test_groups_have_existing_permissions_and_none_to_change_users():
    names = {"Editors", "Curators", "Taxonomy editors", "Flag managers", "Auditors"}
    groups = Group.objects.filter(name__in=names)
    assert {group.name for group in groups} == names
    for group in groups:
        for permission in group.permissions.select_related("content_type"):
            model = permission.content_type.model_class()
            assert model is not None, permission
            known = {f"{action}_{model._meta.model_name}" for action in model._meta.default_permissions}
            assert permission.codename in known | {name for name, _ in model._meta.permissions}
            if permission.content_type.app_label in ("accounts", "auth", "admin"):
                assert permission.codename.startswith("view_")


def test_migration_of_groups_is_reversible():
    migration = importlib.import_module("accounts.migrations.0002_staff_groups")
    migration.remove_groups(apps, None)
    assert not Group.objects.filter(name__in=migration.GROUPS).exists()
    migration.make_groups(apps, None)
    migration.make_groups(apps, None)
    assert Group.objects.filter(name__in=migration.GROUPS).count() == 5


def test_production_hashes_passwords_with_argon2(settings):
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS
    assert UserFactory().password.startswith("argon2$argon2id$")
