"""Guessing is slowed down, on the real shared cache and without it."""

import secrets
import threading

import pytest
from rest_framework.test import APIClient

from api.throttling import consume_rate_limit
from tests.factories.accounts import PASSWORD, AdminFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def rates(settings):
    def set_rates(**rates: str) -> None:
        settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {
            "DEFAULT_THROTTLE_RATES": {"login": "1000/day", "login_email": "1000/day", "register": "1000/day"} | rates
        }

    return set_rates


def new_address() -> str:
    return "10." + ".".join(str(secrets.randbelow(256)) for _ in range(3))


def try_login(address: str, email: str, password: str = "wrong", **headers: str):  # noqa: S107
    body = {"email": email, "password": password}
    return APIClient(REMOTE_ADDR=address).post("/api/auth/login", body, format="json", headers=headers)


def new_email() -> str:
    return f"{secrets.token_hex(6)}@example.com"


def test_one_address_is_stopped_with_429_and_told_when_to_come_back(rates):
    rates(login="3/day")
    address = new_address()
    assert [try_login(address, new_email()).status_code for _ in range(3)] == [401, 401, 401]
    response = try_login(address, new_email())
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 86_401
    assert response.json()["statusCode"] == 429
    assert try_login(new_address(), new_email()).status_code == 401


def test_one_email_is_guarded_whatever_the_address(rates):
    rates(login_email="3/day")
    email = new_email()
    spellings = [email, email.upper(), f" {email}", email]
    assert [try_login(new_address(), one).status_code for one in spellings] == [401, 401, 401, 429]


def test_one_address_cannot_lock_somebody_out(rates):
    rates(login="3/day", login_email="6/day")
    owner = UserFactory(email=new_email())
    attacker = new_address()
    for _ in range(8):
        try_login(attacker, owner.email)
    assert try_login(new_address(), owner.email, PASSWORD).status_code == 201


def test_a_forged_forwarding_header_buys_nothing(rates):
    rates(login="2/day")
    address = new_address()
    statuses = [try_login(address, new_email(), **{"X-Forwarded-For": new_address()}).status_code for _ in range(3)]
    assert statuses == [401, 401, 429]


def test_behind_trusted_proxies_the_callers_address_counts(rates, settings):
    rates(login="2/day")
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    proxy, caller = new_address(), new_address()
    statuses = [
        try_login(proxy, new_email(), **{"X-Forwarded-For": f"{new_address()}, {caller}"}).status_code for _ in range(3)
    ]
    assert statuses == [401, 401, 429]


def test_registration_has_its_own_budget(rates):
    rates(register="1/day")
    client = APIClient(REMOTE_ADDR=new_address())
    statuses = [
        client.post(
            "/api/auth/register", {"username": "mirakov", "email": new_email(), "password": "secret"}, format="json"
        ).status_code
        for _ in range(2)
    ]
    assert statuses == [201, 429]


def test_a_hundred_at_the_same_moment_are_a_hundred(rates):
    rates(login="10/day")
    ident, waits, start = secrets.token_hex(8), [], threading.Barrier(20)

    def ask():
        start.wait()
        waits.extend(consume_rate_limit("login", ident) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits.count(None) == 10


def test_without_the_shared_cache_this_process_counts_alone(rates, settings, caplog):
    rates(login="2/day")
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    address = new_address()
    assert [try_login(address, new_email()).status_code for _ in range(3)] == [401, 401, 429]
    assert "shared cache unavailable" in caplog.text


def test_the_admins_login_is_throttled_too(rates, client):
    admin_user = AdminFactory(email=new_email())
    rates(login="2/day")
    address = new_address()
    for _ in range(2):
        client.post("/admin/login/", {"username": admin_user.email, "password": "no"}, REMOTE_ADDR=address)
    response = client.post("/admin/login/", {"username": admin_user.email, "password": PASSWORD}, REMOTE_ADDR=address)
    assert response.status_code == 200
    assert b"Too many tries" in response.content
    response = client.post(
        "/admin/login/", {"username": admin_user.email.upper(), "password": PASSWORD}, REMOTE_ADDR=new_address()
    )
    assert response.status_code == 302
