"""Rate limits of login and registration, with the shared cache and without it."""

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


def new_ip() -> str:
    return "10." + ".".join(str(secrets.randbelow(256)) for _ in range(3))


def try_login(ip: str, email: str, password: str = "wrong", **headers: str):  # noqa: S107
    body = {"email": email, "password": password}
    return APIClient(REMOTE_ADDR=ip).post("/api/auth/login", body, format="json", headers=headers)


def new_email() -> str:
    return f"{secrets.token_hex(6)}@example.com"


def test_limits_one_ip_with_429_and_retry_after(rates):
    rates(login="3/day")
    ip = new_ip()
    assert [try_login(ip, new_email()).status_code for _ in range(3)] == [401, 401, 401]
    response = try_login(ip, new_email())
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 86_401
    assert response.json()["statusCode"] == 429
    assert try_login(new_ip(), new_email()).status_code == 401


def test_limits_one_email_from_any_ip(rates):
    rates(login_email="3/day")
    email = new_email()
    spellings = [email, email.upper(), f" {email}", email]
    assert [try_login(new_ip(), one).status_code for one in spellings] == [401, 401, 401, 429]


def test_one_ip_cannot_lock_out_a_user(rates):
    rates(login="3/day", login_email="6/day")
    owner = UserFactory(email=new_email())
    attacker = new_ip()
    for _ in range(8):
        try_login(attacker, owner.email)
    assert try_login(new_ip(), owner.email, PASSWORD).status_code == 201


def test_ignores_a_forged_forwarding_header(rates):
    rates(login="2/day")
    ip = new_ip()
    statuses = [try_login(ip, new_email(), **{"X-Forwarded-For": new_ip()}).status_code for _ in range(3)]
    assert statuses == [401, 401, 429]


def test_limits_the_client_ip_behind_trusted_proxies(rates, settings):
    rates(login="2/day")
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    proxy, caller = new_ip(), new_ip()
    statuses = [
        try_login(proxy, new_email(), **{"X-Forwarded-For": f"{new_ip()}, {caller}"}).status_code for _ in range(3)
    ]
    assert statuses == [401, 401, 429]


def test_registration_has_its_own_limit(rates):
    rates(register="1/day")
    client = APIClient(REMOTE_ADDR=new_ip())
    statuses = [
        client.post(
            "/api/auth/register", {"username": "mirakov", "email": new_email(), "password": "secret"}, format="json"
        ).status_code
        for _ in range(2)
    ]
    assert statuses == [201, 429]


def test_counts_concurrent_requests_exactly(rates):
    rates(login="10/day")
    ident, retry_afters, start = secrets.token_hex(8), [], threading.Barrier(20)

    def consume():
        start.wait()
        retry_afters.extend(consume_rate_limit("login", ident) for _ in range(5))

    threads = [threading.Thread(target=consume) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert retry_afters.count(None) == 10


def test_counts_per_process_if_the_shared_cache_is_unavailable(rates, settings, caplog):
    rates(login="2/day")
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    ip = new_ip()
    assert [try_login(ip, new_email()).status_code for _ in range(3)] == [401, 401, 429]
    assert "shared cache unavailable" in caplog.text


def test_admin_login_is_rate_limited(rates, client):
    admin_user = AdminFactory(email=new_email())
    rates(login="2/day")
    ip = new_ip()
    for _ in range(2):
        client.post("/admin/login/", {"username": admin_user.email, "password": "no"}, REMOTE_ADDR=ip)
    response = client.post("/admin/login/", {"username": admin_user.email, "password": PASSWORD}, REMOTE_ADDR=ip)
    assert response.status_code == 200
    assert b"Too many attempts" in response.content
    response = client.post(
        "/admin/login/", {"username": admin_user.email.upper(), "password": PASSWORD}, REMOTE_ADDR=new_ip()
    )
    assert response.status_code == 302
