"""Users, groups and service keys in the admin."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ServiceKey, User
from accounts.service_keys import authenticate_service_key
from tests.factories.accounts import PASSWORD, AdminFactory, ServiceKeyFactory, UserFactory

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"
KEYS = "/admin/accounts/servicekey/"


@pytest.fixture
def superuser(client):
    superuser = AdminFactory()
    client.force_login(superuser)
    return superuser


@pytest.fixture
def user_manager(client):
    """Staff with all permissions for users, but not a superuser."""
    manager = UserFactory(is_staff=True)
    manager.user_permissions.set(
        Permission.objects.filter(content_type__app_label="accounts", codename__endswith="_user")
    )
    client.force_login(manager)
    return manager


def queries_of(client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get(url)
    assert response.status_code == 200
    return len(queries)


def run_action(client, url: str, action: str, rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(url, data, follow=True)


@pytest.mark.parametrize("url", [USERS, KEYS, "/admin/auth/group/"])
def test_query_count_of_lists_does_not_grow_with_rows(client, superuser, url):
    UserFactory().groups.add(Group.objects.get(name="Editors"))
    ServiceKeyFactory(created_by=superuser)
    few = queries_of(client, url)
    for user in UserFactory.create_batch(8):
        user.groups.add(Group.objects.get(name="Curators"))
        ServiceKeyFactory(created_by=user)
        Group.objects.create(name=f"group of {user.email}")
    assert queries_of(client, url) == few <= 12


def test_object_pages_need_at_most_12_queries(client, superuser):
    user, key, group = UserFactory(), ServiceKeyFactory(), Group.objects.get(name="Editors")
    urls = [f"{USERS}{user.pk}/{page}/" for page in ("change", "password", "history")]
    urls += [f"{USERS}add/", f"{KEYS}add/", f"{KEYS}{key.pk}/change/", f"/admin/auth/group/{group.pk}/change/"]
    for url in urls:
        assert queries_of(client, url) <= 12, url


def test_search_finds_users_by_email_name_and_id(client, superuser):
    user = UserFactory(username="another name")
    for text in (user.email, "ANOTHER", user.public_id):
        assert user.email in client.get(USERS, {"q": text}).content.decode()


def test_adds_a_user_who_can_sign_in(client, superuser, api):
    data = {"email": "New.User@Example.COM", "username": "new user", "usable_password": "true"}
    data |= dict.fromkeys(("password1", "password2"), "a good long password")
    assert client.post(f"{USERS}add/", data).status_code == 302
    user = User.objects.get(email="new.user@example.com")
    assert (user.role, user.is_staff) == ("editor", False)
    response = api.post("/api/auth/login", {"email": user.email, "password": "a good long password"}, format="json")
    assert response.status_code == 201


def test_a_used_email_in_any_case_is_a_field_error(client, superuser):
    data = {"email": superuser.email.upper(), "username": "new user", "usable_password": "true"}
    data |= dict.fromkeys(("password1", "password2"), "a good long password")
    response = client.post(f"{USERS}add/", data)
    assert response.status_code == 200
    assert "email" in response.context["adminform"].form.errors


def test_a_new_password_revokes_sessions(client, superuser):
    user = UserFactory()
    data = {"usable_password": "true"} | dict.fromkeys(("password1", "password2"), "a good long password")
    assert client.post(f"{USERS}{user.pk}/password/", data).status_code == 302
    user.refresh_from_db()
    assert user.tokens_valid_from is not None
    assert client.get(USERS).status_code == 200  # the session of the superuser continues


def test_signs_out_deactivates_and_activates_users(client, superuser):
    users = UserFactory.create_batch(2)
    assert "2 users signed out everywhere." in run_action(client, USERS, "sign_out_everywhere", users).content.decode()
    assert User.objects.filter(tokens_valid_from=None, pk__in=[p.pk for p in users]).count() == 0
    assert "2 users deactivated." in run_action(client, USERS, "deactivate", users).content.decode()
    assert User.objects.filter(is_active=False).count() == 2
    assert "2 users activated." in run_action(client, USERS, "activate", users).content.decode()
    assert not User.objects.filter(is_active=False).exists()


def test_rejects_deactivating_oneself(client, superuser):
    assert "You cannot deactivate yourself" in run_action(client, USERS, "deactivate", [superuser]).content.decode()
    superuser.refresh_from_db()
    assert superuser.is_active


class TestStaffWithoutSuperuser:
    def form_of(self, user, **changes):
        return {"email": user.email, "username": user.username, "is_active": "on", **changes}

    def test_edits_other_users_without_granting_permissions(self, client, user_manager):
        user = UserFactory()
        permissions = {"role": "admin", "is_staff": "on", "is_superuser": "on"}
        permissions |= {"groups": [Group.objects.first().pk], "user_permissions": [Permission.objects.first().pk]}
        data = self.form_of(user, username="other name", **permissions)
        assert client.post(f"{USERS}{user.pk}/change/", data).status_code == 302
        user.refresh_from_db()
        assert user.username == "other name"
        assert (user.role, user.is_staff, user.is_superuser) == ("editor", False, False)
        assert not user.groups.exists()
        assert not user.user_permissions.exists()

    @pytest.mark.parametrize(
        "make", [AdminFactory, lambda: UserFactory(is_staff=True), lambda: UserFactory(role="admin")]
    )
    def test_cannot_change_staff_or_admins(self, client, user_manager, make):
        user = make()
        data = self.form_of(user, username="other name")
        assert client.post(f"{USERS}{user.pk}/change/", data).status_code == 403
        passwords = {"usable_password": "true"} | dict.fromkeys(("password1", "password2"), "a good long password")
        assert client.post(f"{USERS}{user.pk}/password/", passwords).status_code == 403
        assert client.post(f"{USERS}{user.pk}/delete/", {"post": "yes"}).status_code == 403
        assert "Only superusers can manage" in run_action(client, USERS, "deactivate", [user]).content.decode()
        assert "Only superusers can manage" in run_action(client, USERS, "sign_out_everywhere", [user]).content.decode()
        user.refresh_from_db()
        assert user.is_active
        assert user.check_password(PASSWORD)

    def test_cannot_escalate_own_permissions(self, client, user_manager):
        data = self.form_of(user_manager, is_superuser="on")
        assert client.post(f"{USERS}{user_manager.pk}/change/", data).status_code == 403
        user_manager.refresh_from_db()
        assert not user_manager.is_superuser

    def test_cannot_change_groups(self, client, user_manager):
        user_manager.user_permissions.add(*Permission.objects.filter(content_type__model="group"))
        group = Group.objects.get(name="Editors")
        granted = set(group.permissions.all())
        assert client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "x"}).status_code == 403
        assert client.post("/admin/auth/group/add/", {"name": "x"}).status_code == 403
        group.refresh_from_db()
        assert group.name == "Editors"
        assert set(group.permissions.all()) == granted
        assert not Group.objects.filter(name="x").exists()

    def test_without_permissions_pages_are_403(self, client):
        client.force_login(UserFactory(is_staff=True))
        assert client.get(USERS).status_code == 403
        assert client.get(KEYS).status_code == 403


class TestServiceKeys:
    def test_shows_a_new_key_once_and_stores_its_hash(self, client, superuser):
        response = client.post(f"{KEYS}add/", {"name": "recommendations"}, follow=True)
        page = response.content.decode()
        text = re.search(r"nna_[\w-]{43}", page).group()
        assert authenticate_service_key(text, timezone.now()).name == "recommendations"
        row = ServiceKey.objects.get()
        assert row.created_by == superuser
        for url in (KEYS, f"{KEYS}{row.pk}/change/", f"{KEYS}{row.pk}/history/"):
            later = client.get(url).content.decode()
            assert text not in later
            assert row.key_sha256 not in later

    def test_escapes_the_name_of_a_key(self, client, superuser):
        page = client.post(f"{KEYS}add/", {"name": "<script>alert(1)</script>"}, follow=True).content.decode()
        assert "<script>alert(1)" not in page

    @pytest.mark.parametrize("name", ["a\x00b", "a\u202eb", "   "])
    def test_an_invalid_name_is_a_field_error(self, client, superuser, name):
        response = client.post(f"{KEYS}add/", {"name": name})
        assert response.status_code == 200
        assert "name" in response.context["adminform"].form.errors
        assert not ServiceKey.objects.exists()

    def test_revokes_a_key_and_rejects_its_deletion(self, client, superuser):
        key = ServiceKeyFactory()
        assert "1 key revoked." in run_action(client, KEYS, "revoke", [key]).content.decode()
        assert authenticate_service_key(key.plain_key, timezone.now()) is None
        assert client.post(f"{KEYS}{key.pk}/delete/", {"post": "yes"}).status_code == 403
        assert ServiceKey.objects.filter(pk=key.pk).exists()

    def test_a_key_is_immutable(self, client, superuser):
        key = ServiceKeyFactory()
        client.post(f"{KEYS}{key.pk}/change/", {"name": "other", "key_sha256": "0" * 64})
        assert ServiceKey.objects.get().name == key.name
        assert ServiceKey.objects.get().key_sha256 == key.key_sha256
