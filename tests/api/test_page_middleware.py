"""Requests below `/api` use no session, pages do."""

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.factories.accounts import bearer

pytestmark = pytest.mark.django_db


def queried_tables(client: Client, path: str, **headers: str) -> str:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path, headers=headers).status_code in (200, 401)
    return " ".join(query["sql"] for query in queries)


def test_a_page_reads_the_session_and_the_api_does_not(admin_user: User) -> None:
    client = Client()
    client.force_login(admin_user)
    assert Session._meta.db_table in queried_tables(client, "/admin/")
    assert Session._meta.db_table not in queried_tables(client, "/api/assets", Authorization=bearer(admin_user))


def test_a_session_is_no_credential_of_the_api(admin_user: User) -> None:
    client = Client()
    client.force_login(admin_user)
    response = client.get("/api/assets")
    assert response.status_code == 401
    assert "Cookie" not in response.headers.get("Vary", "")
    assert not response.cookies


def test_the_documentation_below_the_api_needs_no_session() -> None:
    assert Client().get("/api/docs").status_code == 200


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("", 200),
        ("*/*", 200),
        ("application/json", 200),
        ("application/json, text/plain, */*", 200),
        ("text/html, application/xhtml+xml, */*;q=0.8", 200),
        ("application/json;q=0.9", 200),
        ("text/html", 406),
    ],
)
def test_only_json_is_offered(editor: User, accept: str, status: int) -> None:
    headers = {"Authorization": bearer(editor)} | ({"Accept": accept} if accept else {})
    for path in ("/api/assets", "/api/assets/count"):
        response = Client().get(path, headers=headers)
        assert response.status_code == status
        assert response.headers["Content-Type"].startswith("application/json")
