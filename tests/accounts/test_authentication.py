"""Authentication by token and by service key."""

import base64
import json
import time
from datetime import timedelta

import jwt
import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from accounts.access import deactivate, revoke_sessions
from accounts.models import ServiceKey, User
from accounts.service_keys import revoke_keys
from accounts.tokens import LEEWAY_SECONDS, issue_token
from accounts.user_cache import UserCache
from tests.factories.accounts import AdminFactory, ServiceKeyFactory, UserFactory, bearer
from tests.factories.assets import make_asset
from tests.support.user_cache import clear_user_cache

pytestmark = pytest.mark.django_db

PROFILE = "/api/auth/profile"


def b64(part: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def claims_of(user: User, **changes) -> dict:
    now = int(time.time())
    claims = {"userId": user.public_id, "email": user.email, "role": "admin", "iat": now, "exp": now + 600} | changes
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: dict, key: str | None = None, algorithm: str = "HS256", headers: dict | None = None) -> str:
    return jwt.encode(claims, key or django_settings.ACCOUNTS_SIGNING_KEY, algorithm=algorithm, headers=headers)


FORGERIES = {
    "empty": lambda user: "",
    "client mock": lambda user: "MOCK-eyJhbGciOiJIUzI1NiJ9.e30.x",
    "development token": lambda user: "test-development-token",
    "garbage": lambda user: "a.b.c",
    "not ascii": lambda user: "\u00e9.\u00ff.x",
    "very long": lambda user: "x" * 8000,
    "alg none": lambda user: f"{b64({'alg': 'none', 'typ': 'JWT'})}.{b64(claims_of(user))}.",
    "alg None": lambda user: f"{b64({'alg': 'None', 'typ': 'JWT'})}.{b64(claims_of(user))}.",
    "no signature": lambda user: signed(claims_of(user)).rpartition(".")[0] + ".",
    "other key": lambda user: signed(claims_of(user), key="k" * 64),
    "Django's own key": lambda user: signed(claims_of(user), key=django_settings.SECRET_KEY),
    "other algorithm": lambda user: signed(claims_of(user), algorithm="HS512"),
    "key URL in the header": lambda user: signed(
        claims_of(user), key="k" * 64, headers={"jku": "http://127.0.0.1:1/keys", "kid": "../../dev/null"}
    ),
    "payload changed": lambda user: ".".join(
        part if n != 1 else b64(claims_of(user)) for n, part in enumerate(signed({"a": 1}).split("."))
    ),
    "expired": lambda user: signed(claims_of(user, exp=int(time.time()) - 31)),
    "not yet valid": lambda user: signed(claims_of(user, nbf=int(time.time()) + 60)),
    "from the future": lambda user: signed(claims_of(user, iat=int(time.time()) + 90)),
    "never expires": lambda user: signed(claims_of(user, exp=None)),
    "no iat": lambda user: signed(claims_of(user, iat=None)),
    "no user id": lambda user: signed(claims_of(user, userId=None)),
    "unknown user": lambda user: signed(claims_of(user, userId="0" * 24)),
    "user as a number": lambda user: signed(claims_of(user, userId=user.pk)),
    "user with NUL": lambda user: signed(claims_of(user, userId="\x00")),
    "not an object": lambda user: jwt.api_jws.encode(b"[]", django_settings.ACCOUNTS_SIGNING_KEY, algorithm="HS256"),
}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_rejects_forged_tokens(api, admin_user, forgery, method):
    route = PROFILE if method == "get" else "/api/auth/make-admin"
    headers = {"Authorization": f"Bearer {FORGERIES[forgery](admin_user)}"}
    response = getattr(api, method)(route, {"email": admin_user.email} if method == "post" else None, headers=headers)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    body = response.json()
    assert (body["success"], body["statusCode"]) == (False, 401)
    assert body["error"]["code"] == "UnauthorizedException"


def test_returns_401_without_credentials(api):
    response = api.get(PROFILE)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"


def test_rejects_other_schemes(api, editor):
    token = bearer(editor).removeprefix("Bearer ")
    assert api.get(PROFILE, headers={"Authorization": f"Token {token}"}).status_code == 401
    assert api.get(f"{PROFILE}?token={token}").status_code == 401


def test_rejects_an_admin_session(client, admin_user):
    client.force_login(admin_user)
    assert client.get(PROFILE).status_code == 401


def test_token_has_the_claims_of_the_contract(editor):
    now = timezone.now()
    claims = jwt.decode(issue_token(editor, now), options={"verify_signature": False})
    assert claims == {
        "userId": editor.public_id,
        "sub": editor.public_id,
        "email": editor.email,
        "role": "editor",
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + 86_400,
    }


def test_a_verified_token_expires(api, editor):
    expires_at = int(time.time()) - LEEWAY_SECONDS + 2
    token = signed(claims_of(editor, exp=expires_at, iat=expires_at - 600))
    assert api.get(PROFILE, headers={"authorization": f"Bearer {token}"}).status_code == 200
    time.sleep(2.1)
    assert api.get(PROFILE, headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_ignores_the_role_in_a_token(api, editor):
    token = signed(claims_of(editor, role="admin"))
    response = api.post("/api/auth/make-admin", {"email": editor.email}, headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 403


def test_rejects_writes_of_a_deactivated_user_at_once_and_reads_after_the_cache_expires(api, settings):
    admin, superuser = AdminFactory(), AdminFactory()
    headers = {"Authorization": bearer(admin)}
    assert api.get(PROFILE, headers=headers).status_code == 200
    deactivate([admin], by=superuser, now=timezone.now())
    assert api.post("/api/auth/make-admin", {"email": superuser.email}, headers=headers).status_code == 401
    assert api.get(PROFILE, headers=headers).status_code == 200  # cached for ACCOUNTS_USER_CACHE_SECONDS
    clear_user_cache()
    assert api.get(PROFILE, headers=headers).status_code == 401


def test_cached_users_expire(api, editor, settings):
    settings.ACCOUNTS_USER_CACHE_SECONDS = 0
    headers = {"Authorization": bearer(editor)}
    assert api.get(PROFILE, headers=headers).status_code == 200
    User.objects.filter(pk=editor.pk).update(is_active=False)
    assert api.get(PROFILE, headers=headers).status_code == 401


def test_a_new_password_revokes_old_tokens_but_not_new_ones_of_the_same_second(api, editor):
    old = bearer(editor)
    editor.set_password("another good password")
    editor.save()
    assert api.get(PROFILE, headers={"Authorization": old}).status_code == 401
    assert api.get(PROFILE, headers={"Authorization": bearer(editor)}).status_code == 200


def test_revoking_sessions_revokes_tokens_and_admin_sessions(api, client):
    user, superuser = AdminFactory(), AdminFactory()
    old = bearer(user)
    client.force_login(user)
    assert client.get("/admin/jsi18n/").status_code == 200
    revoke_sessions([user], by=superuser, now=timezone.now())
    assert api.get(PROFILE, headers={"Authorization": old}).status_code == 401
    assert client.get("/admin/jsi18n/").status_code == 302


def test_authenticating_a_read_costs_no_query_for_a_cached_user(api, editor, django_assert_num_queries):
    headers = {"Authorization": bearer(editor)}
    with django_assert_num_queries(2):  # the cache, the profile
        api.get(PROFILE, headers=headers)
    with django_assert_num_queries(1):
        api.get(PROFILE, headers=headers)


def test_user_cache_drops_the_oldest_entry_above_its_size():
    cache = UserCache(max_users=3)
    users = UserFactory.create_batch(5)
    assert [cache.get(user.public_id).email for user in users] == [user.email for user in users]
    assert list(cache.entries) == [user.public_id for user in users[2:]]


class TestServiceKeys:
    READ = "/api/assets?limit=1"

    def test_a_key_can_read(self, service_api):
        assert service_api.get(self.READ).status_code == 200

    def test_a_key_cannot_write(self, service_api):
        asset = make_asset(description="before")
        assert service_api.put(f"/api/assets/{asset.name}", {"description": "x"}, format="json").status_code == 403
        asset.refresh_from_db()
        assert asset.description == "before"

    @pytest.mark.parametrize("text", ["nna_wrong", "\u00e9", "x" * 5000, "\x7f"])
    def test_an_unknown_key_is_401(self, api, text):
        response = api.get(self.READ, headers={"X-API-Key": text})
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"

    def test_a_revoked_or_expired_key_is_401(self, api, admin_user):
        revoked = ServiceKeyFactory()
        assert api.get(self.READ, headers={"X-API-Key": revoked.plain_key}).status_code == 200
        revoke_keys([revoked], by=admin_user, now=timezone.now())
        expired = ServiceKeyFactory(expires_at=timezone.now() - timedelta(seconds=1))
        for key in (revoked, expired):
            assert api.get(self.READ, headers={"X-API-Key": key.plain_key}).status_code == 401

    def test_an_empty_bearer_with_a_key_is_ignored(self, api):
        headers = {"Authorization": "Bearer ", "X-API-Key": ServiceKeyFactory().plain_key}
        assert api.get(self.READ, headers=headers).status_code == 200

    def test_a_token_has_priority_over_a_key(self, api, editor):
        headers = {"Authorization": bearer(editor), "X-API-Key": ServiceKeyFactory().plain_key}
        assert isinstance(api.get(self.READ, headers=headers).json()["data"], dict)  # services get another shape

    def test_last_use_is_written_once_a_minute(self, api):
        key = ServiceKeyFactory()
        headers = {"X-API-Key": key.plain_key}
        api.get(self.READ, headers=headers)
        first = ServiceKey.objects.get().last_used_at
        assert first is not None
        api.get(self.READ, headers=headers)
        assert ServiceKey.objects.get().last_used_at == first
        ServiceKey.objects.update(last_used_at=first - timedelta(seconds=61))
        api.get(self.READ, headers=headers)
        assert ServiceKey.objects.get().last_used_at > first

    def test_only_the_hash_of_a_key_is_stored(self):
        key = ServiceKeyFactory()
        row = ServiceKey.objects.filter(pk=key.pk).values().get()
        assert not any(key.plain_key in str(value) for value in row.values())
        assert len(key.plain_key) > 40
