"""Every route below /api responds with JSON, for every client and every path parameter."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from rest_framework.test import APIClient

_HTML_PAGES = {"/api/docs"}
# They have their own error shape, see contracts/bug_reports.json.
_BUG_REPORTS = "/api/bug-reports"
_METHODS = ("get", "post", "put", "patch", "delete")


def _routes(patterns: list[Any], before: str = "/") -> Iterator[str]:
    for entry in patterns:
        if not isinstance(entry.pattern, RoutePattern):
            continue
        if isinstance(entry, URLResolver):
            yield from _routes(entry.url_patterns, before + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield before + str(entry.pattern)


ROUTES = sorted({route for route in _routes(get_resolver().url_patterns) if route.startswith("/api")})


def _path(route: str) -> str:
    return "/".join("nothing" if part.startswith("<") else part for part in route.split("/"))


@pytest.mark.django_db
@pytest.mark.parametrize("caller", ["api", "admin_api", "service_api"])
@pytest.mark.parametrize("route", [route for route in ROUTES if route not in _HTML_PAGES])
def test_a_route_responds_with_json(route: str, caller: str, request: pytest.FixtureRequest) -> None:
    client: APIClient = request.getfixturevalue(caller)
    for method in _METHODS:
        response = getattr(client, method)(_path(route))
        assert response.status_code < 500, method
        assert response.headers["Content-Type"].partition(";")[0].endswith("json"), method
        if response.status_code >= 400:
            body = response.json()
            if route.startswith(_BUG_REPORTS) and "error_code" in body:
                assert body["error"], method
                continue
            assert (body["success"], body["statusCode"]) == (False, response.status_code), method


def test_no_route_has_a_trailing_slash() -> None:
    assert ROUTES
    assert not [route for route in ROUTES if route.endswith("/")]
