"""Every route under /api answers in JSON, whoever asks and whatever stands in the address."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from rest_framework.test import APIClient

_PAGES_FOR_PEOPLE = {"/api/docs"}
# They speak a dialect of their own, see contracts/bug_reports.json.
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


def _address(route: str) -> str:
    return "/".join("nothing" if part.startswith("<") else part for part in route.split("/"))


@pytest.mark.django_db
@pytest.mark.parametrize("caller", ["api", "admin_api", "service_api"])
@pytest.mark.parametrize("route", [route for route in ROUTES if route not in _PAGES_FOR_PEOPLE])
def test_a_route_answers_in_json(route: str, caller: str, request: pytest.FixtureRequest) -> None:
    client: APIClient = request.getfixturevalue(caller)
    for method in _METHODS:
        answer = getattr(client, method)(_address(route))
        assert answer.status_code < 500, method
        assert answer.headers["Content-Type"].partition(";")[0].endswith("json"), method
        if answer.status_code >= 400:
            body = answer.json()
            if route.startswith(_BUG_REPORTS) and "error_code" in body:
                assert body["error"], method
                continue
            assert (body["success"], body["statusCode"]) == (False, answer.status_code), method


def test_no_route_ends_in_a_slash() -> None:
    assert ROUTES
    assert not [route for route in ROUTES if route.endswith("/")]
