"""People, groups and keys in the staff admin."""

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
def boss(client):
    boss = AdminFactory()
    client.force_login(boss)
    return boss


@pytest.fixture
def people_clerk(client):
    """Staff who may edit people, but is no superuser."""
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.set(
        Permission.objects.filter(content_type__app_label="accounts", codename__endswith="_user")
    )
    client.force_login(clerk)
    return clerk


def queries_of(client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get(address)
    assert response.status_code == 200
    return len(queries)


def act(client, address: str, action: str, rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(address, data, follow=True)


@pytest.mark.parametrize("address", [USERS, KEYS, "/admin/auth/group/"])
def test_lists_cost_the_same_number_of_queries_however_long(client, boss, address):
    UserFactory().groups.add(Group.objects.get(name="Editors"))
    ServiceKeyFactory(created_by=boss)
    few = queries_of(client, address)
    for person in UserFactory.create_batch(8):
        person.groups.add(Group.objects.get(name="Curators"))
        ServiceKeyFactory(created_by=person)
        Group.objects.create(name=f"group of {person.email}")
    assert queries_of(client, address) == few <= 12


def test_pages_of_a_row_open_with_few_queries(client, boss):
    person, key, group = UserFactory(), ServiceKeyFactory(), Group.objects.get(name="Editors")
    addresses = [f"{USERS}{person.pk}/{page}/" for page in ("change", "password", "history")]
    addresses += [f"{USERS}add/", f"{KEYS}add/", f"{KEYS}{key.pk}/change/", f"/admin/auth/group/{group.pk}/change/"]
    for address in addresses:
        assert queries_of(client, address) <= 12, address


def test_finds_people_by_email_name_and_id(client, boss):
    person = UserFactory(username="somebody else")
    for text in (person.email, "SOMEBODY", person.public_id):
        assert person.email in client.get(USERS, {"q": text}).content.decode()


def test_adds_a_person_who_can_log_in(client, boss, api):
    data = {"email": "New.Person@Example.COM", "username": "new person", "usable_password": "true"}
    data |= dict.fromkeys(("password1", "password2"), "a good long password")
    assert client.post(f"{USERS}add/", data).status_code == 302
    person = User.objects.get(email="new.person@example.com")
    assert (person.role, person.is_staff) == ("editor", False)
    answer = api.post("/api/auth/login", {"email": person.email, "password": "a good long password"}, format="json")
    assert answer.status_code == 201


def test_says_beside_the_field_that_an_email_is_taken_in_whatever_case(client, boss):
    data = {"email": boss.email.upper(), "username": "new person", "usable_password": "true"}
    data |= dict.fromkeys(("password1", "password2"), "a good long password")
    response = client.post(f"{USERS}add/", data)
    assert response.status_code == 200
    assert "email" in response.context["adminform"].form.errors


def test_a_new_password_ends_tokens_and_sessions(client, boss):
    person = UserFactory()
    data = {"usable_password": "true"} | dict.fromkeys(("password1", "password2"), "a good long password")
    assert client.post(f"{USERS}{person.pk}/password/", data).status_code == 302
    person.refresh_from_db()
    assert person.tokens_valid_from is not None
    assert client.get(USERS).status_code == 200  # the boss's own session goes on


def test_ends_sessions_deactivates_and_activates(client, boss):
    people = UserFactory.create_batch(2)
    assert "Ended all sessions of 2" in act(client, USERS, "end_all_sessions", people).content.decode()
    assert User.objects.filter(tokens_valid_from=None, pk__in=[p.pk for p in people]).count() == 0
    assert "Deactivated 2" in act(client, USERS, "deactivate", people).content.decode()
    assert User.objects.filter(is_active=False).count() == 2
    assert "Activated 2" in act(client, USERS, "activate", people).content.decode()
    assert not User.objects.filter(is_active=False).exists()


def test_nobody_deactivates_himself(client, boss):
    assert "You cannot deactivate yourself" in act(client, USERS, "deactivate", [boss]).content.decode()
    boss.refresh_from_db()
    assert boss.is_active


class TestStaffWithoutSuperuser:
    def form_of(self, person, **changes):
        return {"email": person.email, "username": person.username, "is_active": "on", **changes}

    def test_edits_ordinary_people_but_gives_no_powers(self, client, people_clerk):
        person = UserFactory()
        powers = {"role": "admin", "is_staff": "on", "is_superuser": "on"}
        powers |= {"groups": [Group.objects.first().pk], "user_permissions": [Permission.objects.first().pk]}
        data = self.form_of(person, username="other name", **powers)
        assert client.post(f"{USERS}{person.pk}/change/", data).status_code == 302
        person.refresh_from_db()
        assert person.username == "other name"
        assert (person.role, person.is_staff, person.is_superuser) == ("editor", False, False)
        assert not person.groups.exists()
        assert not person.user_permissions.exists()

    @pytest.mark.parametrize(
        "make", [AdminFactory, lambda: UserFactory(is_staff=True), lambda: UserFactory(role="admin")]
    )
    def test_does_not_touch_people_with_powers(self, client, people_clerk, make):
        person = make()
        data = self.form_of(person, username="other name")
        assert client.post(f"{USERS}{person.pk}/change/", data).status_code == 403
        passwords = {"usable_password": "true"} | dict.fromkeys(("password1", "password2"), "a good long password")
        assert client.post(f"{USERS}{person.pk}/password/", passwords).status_code == 403
        assert client.post(f"{USERS}{person.pk}/delete/", {"post": "yes"}).status_code == 403
        assert "Only a superuser" in act(client, USERS, "deactivate", [person]).content.decode()
        assert "Only a superuser" in act(client, USERS, "end_all_sessions", [person]).content.decode()
        person.refresh_from_db()
        assert person.is_active
        assert person.check_password(PASSWORD)

    def test_does_not_raise_himself(self, client, people_clerk):
        data = self.form_of(people_clerk, is_superuser="on")
        assert client.post(f"{USERS}{people_clerk.pk}/change/", data).status_code == 403
        people_clerk.refresh_from_db()
        assert not people_clerk.is_superuser

    def test_changes_no_group(self, client, people_clerk):
        people_clerk.user_permissions.add(*Permission.objects.filter(content_type__model="group"))
        group = Group.objects.get(name="Editors")
        assert client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "x"}).status_code == 403
        assert client.post("/admin/auth/group/add/", {"name": "x"}).status_code == 403

    def test_without_any_right_sees_nothing(self, client):
        client.force_login(UserFactory(is_staff=True))
        assert client.get(USERS).status_code == 403
        assert client.get(KEYS).status_code == 403


class TestServiceKeys:
    def test_shows_a_new_key_once_and_keeps_its_hash(self, client, boss):
        response = client.post(f"{KEYS}add/", {"name": "recommendations"}, follow=True)
        page = response.content.decode()
        text = re.search(r"nna_[\w-]{43}", page).group()
        assert authenticate_service_key(text, timezone.now()).name == "recommendations"
        row = ServiceKey.objects.get()
        assert row.created_by == boss
        for address in (KEYS, f"{KEYS}{row.pk}/change/", f"{KEYS}{row.pk}/history/"):
            later = client.get(address).content.decode()
            assert text not in later
            assert row.key_sha256 not in later

    def test_escapes_the_name(self, client, boss):
        page = client.post(f"{KEYS}add/", {"name": "<script>alert(1)</script>"}, follow=True).content.decode()
        assert "<script>alert(1)" not in page

    @pytest.mark.parametrize("name", ["a\x00b", "a\u202eb", "   "])
    def test_refuses_a_bad_name_beside_the_field(self, client, boss, name):
        response = client.post(f"{KEYS}add/", {"name": name})
        assert response.status_code == 200
        assert "name" in response.context["adminform"].form.errors
        assert not ServiceKey.objects.exists()

    def test_revokes_and_never_deletes(self, client, boss):
        key = ServiceKeyFactory()
        assert "Revoked 1" in act(client, KEYS, "revoke", [key]).content.decode()
        assert authenticate_service_key(key.plain_key, timezone.now()) is None
        assert client.post(f"{KEYS}{key.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_changes_nothing_of_a_key(self, client, boss):
        key = ServiceKeyFactory()
        client.post(f"{KEYS}{key.pk}/change/", {"name": "other", "key_sha256": "0" * 64})
        assert ServiceKey.objects.get().name == key.name
        assert ServiceKey.objects.get().key_sha256 == key.key_sha256
