"""Each redirect is checked as if its address had been given to us."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from outbound import FetchPolicy, UrlNotAllowed, fetch
from tests.support.fake_dns import names_answered
from tests.support.source_server import SourceServer

Policies = Callable[..., FetchPolicy]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_follows_a_redirect_where_the_caller_allows_one(status: int, server: SourceServer, policy: Policies) -> None:
    first = server.redirect("/a/first", "../b/second?x=%C3%BC#part", status)
    server.serve("/b/second", b"picture")
    fetched = fetch(first, policy(max_redirects=1))
    assert fetched.content == b"picture"
    assert fetched.url == server.url("/b/second?x=%C3%BC")
    assert fetched.redirects == (first,)


def test_follows_none_by_default(server: SourceServer, policy: Policies) -> None:
    with pytest.raises(UrlNotAllowed) as refusal:
        fetch(server.redirect("/first", "/empty"), policy())
    assert refusal.value.code == "redirect_refused"
    assert not server.asked("/empty")


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
def test_refuses_to_be_led_astray(path: str, code: str, server: SourceServer, policy: Policies) -> None:
    with pytest.raises(UrlNotAllowed) as refusal:
        fetch(server.url(path), policy(max_redirects=3))
    assert refusal.value.code == code
    assert len(server.connections) == 1


def test_refuses_to_leave_https_even_where_http_is_spoken(
    server: SourceServer, policy: Policies, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    server.redirect("/down", server.url("/empty", scheme="http"))
    server.redirect("/up", server.url("/empty"))
    with pytest.raises(UrlNotAllowed) as refusal:
        fetch(server.url("/down"), policy(max_redirects=3))
    assert refusal.value.code == "redirect_refused"
    assert fetch(server.url("/up", scheme="http"), policy(max_redirects=3)).status == 200


def test_asks_its_caller_about_the_host_of_every_redirect(server: SourceServer, policy: Policies) -> None:
    server.redirect("/first", server.url("/empty", host="evil.art.example"))
    with names_answered(**{"evil.art.example": ["127.0.0.1"]}) as asked, pytest.raises(UrlNotAllowed) as refusal:
        fetch(server.url("/first"), policy(max_redirects=3, is_allowed_host="127.0.0.1".__eq__))
    assert (refusal.value.code, refusal.value.host) == ("host_not_allowed", "evil.art.example")
    assert not asked


@pytest.mark.parametrize(("path", "limit"), [("/loop", 3), ("/hops?50", 5), ("/grows", 4)])
def test_stops_at_the_limit(path: str, limit: int, server: SourceServer, policy: Policies) -> None:
    with pytest.raises(UrlNotAllowed) as refusal:
        fetch(server.url(path), policy(max_redirects=limit))
    assert refusal.value.code == "too_many_redirects"
    assert len(server.requests) == limit + 1


def test_stops_when_an_address_has_grown_too_long(server: SourceServer, policy: Policies) -> None:
    with pytest.raises(UrlNotAllowed) as refusal:
        fetch(server.url("/grows"), policy(max_redirects=50))
    assert refusal.value.code == "url_malformed"
    assert len(server.requests) < 7


def test_counts_redirects_and_arrives_within_the_limit(server: SourceServer, policy: Policies) -> None:
    assert len(fetch(server.url("/hops?3"), policy(max_redirects=3)).redirects) == 3
