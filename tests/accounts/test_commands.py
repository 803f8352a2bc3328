"""Commands, demo logins, groups, and what production hashes with."""

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


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue().strip()


def test_create_service_key_prints_a_key_that_works():
    assert (
        authenticate_service_key(run("create_service_key", "recommendations"), timezone.now()).name == "recommendations"
    )


@pytest.mark.parametrize("name", ["taken", "", "x" * 101, "a\nb"])
def test_create_service_key_refuses_bad_names(name):
    run("create_service_key", "taken")
    with pytest.raises(CommandError):
        run("create_service_key", name)


def test_make_admin_gives_the_role():
    user = UserFactory()
    run("make_admin", user.email.upper())
    user.refresh_from_db()
    assert user.is_admin


def test_make_admin_names_an_unknown_email():
    with pytest.raises(CommandError, match=r"nobody@example\.com"):
        run("make_admin", "nobody@example.com")


def test_demo_logins_are_made_once_and_work(api):
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
def test_demo_logins_are_refused_where_others_reach_the_server(settings, name):
    settings.ENVIRONMENT_NAME = name
    with pytest.raises(Conflict):
        ensure_demo_users()
    assert not User.objects.exists()


def test_an_imported_person_cannot_log_in_until_given_a_password():
    user = ensure_user(email=" Theo@Studio.example ")
    assert user == ensure_user(email="theo@studio.example")
    assert not user.has_usable_password()


def test_every_group_holds_permissions_that_exist_and_no_power_over_people():
    names = {"Editors", "Curators", "Taxonomy editors", "Flag managers", "Auditors"}
    groups = Group.objects.filter(name__in=names)
    assert {group.name for group in groups} == names
    for group in groups:
        for permission in group.permissions.select_related("content_type"):
            model = permission.content_type.model_class()
            assert model is not None, permission
            known = {f"{verb}_{model._meta.model_name}" for verb in model._meta.default_permissions}
            assert permission.codename in known | {name for name, _ in model._meta.permissions}
            if permission.content_type.app_label in ("accounts", "auth", "admin"):
                assert permission.codename.startswith("view_")


def test_the_groups_migration_goes_back_and_forth():
    migration = importlib.import_module("accounts.migrations.0002_staff_groups")
    migration.remove_groups(apps, None)
    assert not Group.objects.filter(name__in=migration.GROUPS).exists()
    migration.make_groups(apps, None)
    migration.make_groups(apps, None)
    assert Group.objects.filter(name__in=migration.GROUPS).count() == 5


def test_outside_tests_passwords_are_hashed_with_argon2(settings):
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS
    assert UserFactory().password.startswith("argon2$argon2id$")
