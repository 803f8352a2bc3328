"""`/api/auth/...`, the contract of the legacy API."""

import hashlib
import threading

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connections
from rest_framework.test import APIClient

from accounts.models import User
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

NEWCOMER = {"username": "mirakov", "email": "mira@studio.example", "password": "secret"}


def assert_error_envelope(response) -> dict:
    body = response.json()
    assert response["Content-Type"] == "application/json"
    assert body["success"] is False
    assert body["statusCode"] == response.status_code
    assert body["message"] == body["error"]["message"]
    return body


class TestRegister:
    def test_returns_201_with_a_valid_token(self, api):
        response = api.post("/api/auth/register", NEWCOMER, format="json")
        assert response.status_code == 201
        data = response.json()["data"]
        user = User.objects.get()
        assert data["user"] == {
            "id": user.public_id,
            "username": "mirakov",
            "email": "mira@studio.example",
            "role": "editor",
        }
        profile = api.get("/api/auth/profile", headers={"Authorization": f"Bearer {data['token']}"})
        assert profile.status_code == 200

    def test_stores_no_plain_password(self, api):
        api.post("/api/auth/register", NEWCOMER, format="json")
        assert "secret" not in User.objects.get().password

    def test_rejects_a_registered_email_in_any_case(self, api):
        assert api.post("/api/auth/register", NEWCOMER, format="json").status_code == 201
        again = api.post("/api/auth/register", NEWCOMER | {"email": "MIRA@Studio.example"}, format="json")
        assert again.status_code == 400
        assert assert_error_envelope(again)["message"] == "User already exists with this email"

    @pytest.mark.parametrize(
        ("change", "field", "message"),
        [
            ({"email": "mira"}, "email", "Invalid email format"),
            ({"email": "a" * 250 + "@b.example"}, "email", "email must be at most 254 characters, not 260"),
            ({"email": f"a@{'İ.' * 120}example"}, "email", "Invalid email format"),
            ({"email": ["a@b.example"]}, "email", "email must be a string"),
            ({"email": {"$ne": ""}}, "email", "email must be a string"),
            ({"email": None}, "email", None),
            ({"password": "short"}, "password", "Password must be at least 6 characters long"),
            ({"password": 123456}, "password", "password must be a string"),
            ({"password": "x" * 1001}, "password", "password must be at most 1000 characters, not 1001"),
            ({"password": "secret\x00"}, "password", None),
            ({"username": "mira"}, "username", "username must be at least 5 characters long"),
            ({"username": "   mira   "}, "username", "username must be at least 5 characters long"),
            ({"username": "x" * 151}, "username", "username must be at most 150 characters, not 151"),
            ({"username": "mirakov\x00"}, "username", None),
            ({"username": "mira\u202evok"}, "username", "username holds a character that reorders text"),
            ({"username": "mira\nkov"}, "username", None),
            ({"username": True}, "username", "username must be a string"),
            ({"role": "admin"}, "role", "property role should not exist"),
            ({"is_superuser": True}, "is_superuser", "property is_superuser should not exist"),
        ],
    )
    def test_rejects_invalid_input_with_the_field(self, api, change, field, message):
        response = api.post("/api/auth/register", NEWCOMER | change, format="json")
        assert response.status_code == 400
        body = assert_error_envelope(response)
        assert field in body["error"]["details"]["errors"]
        assert field in body["message"].lower()
        if message:
            assert body["message"] == message
        assert not User.objects.exists()

    @pytest.mark.parametrize("field", ["username", "email", "password"])
    def test_rejects_a_missing_field(self, api, field):
        response = api.post("/api/auth/register", {k: v for k, v in NEWCOMER.items() if k != field}, format="json")
        assert response.status_code == 400
        assert list(assert_error_envelope(response)["error"]["details"]["errors"]) == [field]

    @pytest.mark.parametrize(
        "body",
        [
            b"[]",
            b'[{"email": "a@b.example"}]',
            b'"text"',
            b"12",
            b"null",
            b"{",
            b"\xff",
            b'{"username": "\\ud800abcdef"}',
            b"NaN",
            b"[" * 10_000,
        ],
    )
    @pytest.mark.parametrize("route", ["register", "login"])
    def test_rejects_bodies_that_are_not_json_objects(self, api, route, body):
        response = api.post(f"/api/auth/{route}", body, content_type="application/json")
        assert response.status_code == 400
        assert_error_envelope(response)

    def test_rejects_other_content_types(self, api):
        response = api.post("/api/auth/register", b"username=mirakov", content_type="application/x-www-form-urlencoded")
        assert response.status_code == 415
        assert_error_envelope(response)

    def test_ignores_an_invalid_token(self, api):
        response = api.post("/api/auth/register", NEWCOMER, format="json", headers={"Authorization": "Bearer MOCK-1"})
        assert response.status_code == 201
        user = User.objects.get()
        assert (user.email, user.username, user.role) == (NEWCOMER["email"], NEWCOMER["username"], "editor")


@pytest.mark.django_db(transaction=True)
def test_one_of_four_concurrent_registrations_succeeds():
    start, statuses = threading.Barrier(4), []

    def register():
        start.wait()
        statuses.append(APIClient().post("/api/auth/register", NEWCOMER, format="json").status_code)
        connections.close_all()

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 400, 400, 400]
    assert User.objects.count() == 1


class TestLogin:
    def test_returns_201_with_token_and_user(self, api, editor):
        response = api.post("/api/auth/login", {"email": editor.email.upper(), "password": PASSWORD}, format="json")
        assert response.status_code == 201
        assert set(response.json()["data"]) == {"token", "user"}
        editor.refresh_from_db()
        assert editor.last_login is not None

    def test_responds_equally_to_unknown_wrong_inactive_and_passwordless(self, api, editor):
        inactive = UserFactory(is_active=False)
        imported = UserFactory(password=None)
        tries = [
            (editor.email, "wrong password"),
            ("nobody@example.com", PASSWORD),
            (inactive.email, PASSWORD),
            (imported.email, ""),
            (imported.email, PASSWORD),
        ]
        bodies = []
        for email, password in tries:
            response = api.post("/api/auth/login", {"email": email, "password": password}, format="json")
            assert response.status_code == 401
            body = assert_error_envelope(response)
            body.pop("metadata")
            bodies.append(body)
        assert bodies[0]["message"] == "Invalid credentials"
        assert all(body == bodies[0] for body in bodies)

    def test_hashes_once_for_known_and_unknown_emails(self, api, editor, monkeypatch, settings):
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
        editor.set_password(PASSWORD)
        editor.save()
        calls = []
        for name in ("encode", "verify"):
            original = getattr(Argon2PasswordHasher, name)

            def counted(self, *args, original=original, **kwargs):
                calls.append(original)
                return original(self, *args, **kwargs)

            monkeypatch.setattr(Argon2PasswordHasher, name, counted)
        counts = []
        for email in (editor.email, "nobody@example.com", UserFactory(password=None).email):
            calls.clear()
            api.post("/api/auth/login", {"email": email, "password": "wrong password"}, format="json")
            counts.append(len(calls))
        assert counts == [1, 1, 1]

    def test_upgrades_an_older_hash_without_revoking_sessions(self, api, settings):
        settings.PASSWORD_HASHERS = [
            "django.contrib.auth.hashers.Argon2PasswordHasher",
            "django.contrib.auth.hashers.MD5PasswordHasher",
        ]
        user = UserFactory()
        old = "md5$salt$" + hashlib.md5(b"salt" + PASSWORD.encode(), usedforsecurity=False).hexdigest()
        User.objects.filter(pk=user.pk).update(password=old)
        assert (
            api.post("/api/auth/login", {"email": user.email, "password": PASSWORD}, format="json").status_code == 201
        )
        user.refresh_from_db()
        assert user.password.startswith("argon2")
        assert user.tokens_valid_from is None


class TestProfile:
    def test_returns_both_ids_and_timestamps(self, editor, editor_api):
        data = editor_api.get("/api/auth/profile").json()["data"]
        assert data.pop("createdAt").endswith("Z")
        assert data.pop("updatedAt").endswith("Z")
        assert data == {
            "_id": editor.public_id,
            "id": editor.public_id,
            "username": editor.username,
            "email": editor.email,
            "role": "editor",
            "__v": 0,
        }

    def test_returns_401_for_a_deleted_user(self, editor, editor_api):
        assert editor_api.get("/api/auth/profile").status_code == 200
        editor.delete()
        assert editor_api.get("/api/auth/profile").status_code == 401

    def test_returns_403_for_a_service(self, service_api):
        assert service_api.get("/api/auth/profile").status_code == 403


class TestMakeAdmin:
    def test_grants_the_role(self, admin_api, editor):
        response = admin_api.post("/api/auth/make-admin", {"email": editor.email.title()}, format="json")
        assert response.status_code == 201
        assert response.json()["data"]["role"] == "admin"
        editor.refresh_from_db()
        assert editor.is_admin
        assert not editor.is_staff

    def test_rejects_an_editor(self, editor_api, editor):
        response = editor_api.post("/api/auth/make-admin", {"email": editor.email}, format="json")
        assert response.status_code == 403
        assert assert_error_envelope(response)["message"] == "Admin access required"
        editor.refresh_from_db()
        assert editor.role == "editor"

    def test_rejects_a_service(self, service_api, editor):
        response = service_api.post("/api/auth/make-admin", {"email": editor.email}, format="json")
        assert response.status_code == 403
        editor.refresh_from_db()
        assert editor.role == "editor"

    def test_rejects_anonymous_requests(self, api, editor):
        assert api.post("/api/auth/make-admin", {"email": editor.email}, format="json").status_code == 401
        editor.refresh_from_db()
        assert editor.role == "editor"

    def test_returns_404_for_an_unknown_email(self, admin_api):
        response = admin_api.post("/api/auth/make-admin", {"email": "nobody@example.com"}, format="json")
        assert response.status_code == 404
        assert_error_envelope(response)

    def test_earlier_tokens_of_the_user_have_the_role_on_the_next_write(self, admin_api, editor, editor_api):
        admin_api.post("/api/auth/make-admin", {"email": editor.email}, format="json")
        other = UserFactory()
        response = editor_api.post("/api/auth/make-admin", {"email": other.email}, format="json")
        assert response.status_code == 201
        other.refresh_from_db()
        assert other.role == "admin"


@pytest.mark.parametrize("route", ["register", "login", "make-admin"])
def test_returns_405_in_the_envelope(admin_api, route):
    response = admin_api.get(f"/api/auth/{route}")
    assert response.status_code == 405
    assert_error_envelope(response)


def test_accepts_a_trailing_slash_without_a_redirect(editor_api):
    assert editor_api.get("/api/auth/profile/").status_code == 200
