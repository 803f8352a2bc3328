"""Each redirect is checked like a requested URL."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from outbound import FetchPolicy, UrlNotAllowed, fetch
from tests.support.fake_dns import resolve_names
from tests.support.source_server import SourceServer

Policies = Callable[..., FetchPolicy]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_if_the_policy_allows_it(status: int, server: SourceServer, policy: Policies) -> None:
    first = server.redirect("/a/first", "../b/second?x=%C3%BC#part", status)
    server.serve("/b/second", b"picture")
    fetched = fetch(first, policy(max_redirects=1))
    assert fetched.content == b"picture"
    assert fetched.url == server.url("/b/second?x=%C3%BC")
    assert fetched.redirects == (first,)


def test_redirects_are_rejected_by_default(server: SourceServer, policy: Policies) -> None:
    with pytest.raises(UrlNotAllowed) as error:
        fetch(server.redirect("/first", "/empty"), policy())
    assert error.value.code == "redirect_refused"
    assert not server.request_count("/empty")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/to-private", "blocked_address"),
        ("/to-metadata", "blocked_address"),
        ("/to-file", "scheme_refused"),
        ("/to-gopher", "scheme_refused"),
        ("/to-ftp", "scheme_refused"),
        ("/to-http", "redirect_refused"),
        ("/to-other-port", "port_refused"),
        ("/to-user", "url_malformed"),
        ("/to-nowhere", "redirect_refused"),
        ("/to-split-path", "redirect_refused"),
    ],
)
def test_unsafe_redirects_are_rejected(path: str, code: str, server: SourceServer, policy: Policies) -> None:
    with pytest.raises(UrlNotAllowed) as error:
        fetch(server.url(path), policy(max_redirects=3))
    assert error.value.code == code
    assert len(server.connections) == 1


def test_a_redirect_from_https_to_http_is_rejected(server: SourceServer, policy: Policies, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    server.redirect("/down", server.url("/empty", scheme="http"))
    server.redirect("/up", server.url("/empty"))
    with pytest.raises(UrlNotAllowed) as error:
        fetch(server.url("/down"), policy(max_redirects=3))
    assert error.value.code == "redirect_refused"
    assert fetch(server.url("/up", scheme="http"), policy(max_redirects=3)).status == 200


def test_the_policy_checks_the_host_of_each_redirect(server: SourceServer, policy: Policies) -> None:
    server.redirect("/first", server.url("/empty", host="evil.art.example"))
    with resolve_names(**{"evil.art.example": ["127.0.0.1"]}) as resolved, pytest.raises(UrlNotAllowed) as error:
        fetch(server.url("/first"), policy(max_redirects=3, is_allowed_host="127.0.0.1".__eq__))
    assert (error.value.code, error.value.host) == ("host_not_allowed", "evil.art.example")
    assert not resolved


@pytest.mark.parametrize(("path", "limit"), [("/loop", 3), ("/hops?50", 5), ("/grows", 4)])
def test_too_many_redirects_are_rejected(path: str, limit: int, server: SourceServer, policy: Policies) -> None:
    with pytest.raises(UrlNotAllowed) as error:
        fetch(server.url(path), policy(max_redirects=limit))
    assert error.value.code == "too_many_redirects"
    assert len(server.requests) == limit + 1


def test_a_redirect_to_a_too_long_url_is_rejected(server: SourceServer, policy: Policies) -> None:
    with pytest.raises(UrlNotAllowed) as error:
        fetch(server.url("/grows"), policy(max_redirects=50))
    assert error.value.code == "url_malformed"
    assert len(server.requests) < 7


def test_redirects_within_the_limit_are_followed(server: SourceServer, policy: Policies) -> None:
    assert len(fetch(server.url("/hops?3"), policy(max_redirects=3)).redirects) == 3
