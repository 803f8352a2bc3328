"""Names: looked up once for each hop, all their addresses checked, and proved by a certificate."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from outbound import FetchPolicy, RemoteUnavailable, UrlNotAllowed, fetch
from tests.support.fake_dns import answers_in_turn, names_answered
from tests.support.source_server import SourceServer

Policies = Callable[..., FetchPolicy]


def test_a_certificate_must_bear_the_name_that_was_asked(server: SourceServer, policy: Policies) -> None:
    server.serve("/cover.jpg", b"picture")
    with names_answered(**{"cdn.art.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}):
        assert fetch(server.url("/cover.jpg", host="cdn.art.example"), policy()).host == "cdn.art.example"
        with pytest.raises(RemoteUnavailable) as fault:
            fetch(server.url("/cover.jpg", host="other.example"), policy())
    assert fault.value.code == "tls_failed"
    assert [request.server_name for request in server.requests] == ["cdn.art.example"]
    assert server.requests[0].headers["host"] == f"cdn.art.example:{server.port}"


def test_a_certificate_must_come_from_a_trusted_authority(
    server: SourceServer, policy: Policies, settings: Settings
) -> None:
    settings.OUTBOUND_CA_BUNDLE = ""
    with pytest.raises(RemoteUnavailable) as fault:
        fetch(server.url("/empty"), policy())
    assert fault.value.code == "tls_failed"
    assert not server.requests


def test_asks_for_a_name_once_and_connects_to_the_address_it_checked(server: SourceServer, policy: Policies) -> None:
    """A resolver that answers differently the second time has no second time."""
    url = server.url("/cover.jpg", host="art.example")
    server.serve("/cover.jpg", b"picture")
    with answers_in_turn({"art.example": [["127.0.0.1"], ["10.0.0.1"]]}) as asked:
        assert fetch(url, policy()).ip == "127.0.0.1"
    assert asked == ["art.example"]


def test_looks_at_the_address_anew_for_every_redirect(server: SourceServer, policy: Policies) -> None:
    server.redirect("/first", "/second")
    server.serve("/second", b"picture")
    url = server.url("/first", host="art.example")
    with (
        answers_in_turn({"art.example": [["127.0.0.1"], ["10.0.0.1"]]}) as asked,
        pytest.raises(UrlNotAllowed) as refusal,
    ):
        fetch(url, policy(max_redirects=3))
    assert refusal.value.code == "blocked_address"
    assert asked == ["art.example"] * 2
    assert not server.asked("/second")


@pytest.mark.parametrize(
    "answers",
    [
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["0.0.0.0"],
        ["fe80::1%eth0"],
        ["127.0.0.1", "10.0.0.1"],
        ["127.0.0.1", "2606:4700::1", "64:ff9b::a9fe:a9fe"],
    ],
)
def test_refuses_a_name_if_any_of_its_addresses_is_not_public(
    answers: list[str], server: SourceServer, policy: Policies, caplog: pytest.LogCaptureFixture
) -> None:
    with names_answered(**{"art.example": answers}), pytest.raises(UrlNotAllowed) as refusal:
        fetch(server.url("/cover.jpg", host="art.example"), policy())
    assert refusal.value.code == "blocked_address"
    assert not server.connections
    [record] = caplog.records
    assert (record.getMessage(), record.host) == ("outbound URL rejected", "art.example")  # type: ignore[attr-defined]


def test_refuses_loopback_unless_the_settings_allow_it(
    server: SourceServer, policy: Policies, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    for host in ("127.0.0.1", "art.example"):
        with names_answered(**{"art.example": ["127.0.0.1"]}), pytest.raises(UrlNotAllowed) as refusal:
            fetch(server.url("/empty", host=host), policy())
        assert refusal.value.code == "blocked_address"
    assert not server.connections


def test_asks_no_host_that_its_caller_does_not_allow(server: SourceServer, policy: Policies) -> None:
    seen: list[str] = []

    def refuse(host: str) -> bool:
        seen.append(host)
        return False

    with names_answered(**{"xn--bcher-kva.example": ["127.0.0.1"]}) as asked, pytest.raises(UrlNotAllowed) as refusal:
        fetch(f"https://BÜCHER.example.:{server.port}/", policy(is_allowed_host=refuse))
    assert refusal.value.code == "host_not_allowed"
    assert seen == ["xn--bcher-kva.example"]
    assert not asked
    assert not server.connections


def test_tries_the_next_address_of_a_name_when_one_takes_no_connection(server: SourceServer, policy: Policies) -> None:
    server.serve("/cover.jpg", b"picture")
    with names_answered(**{"art.example": ["::1", "127.0.0.1"]}):
        assert fetch(server.url("/cover.jpg", host="art.example"), policy()).ip == "127.0.0.1"


@pytest.mark.parametrize("answers", [{}, {"art.example": []}])
def test_a_name_without_an_address_may_have_one_later(
    answers: dict[str, list[str]], server: SourceServer, policy: Policies
) -> None:
    with names_answered(**answers), pytest.raises(RemoteUnavailable) as fault:
        fetch(server.url("/cover.jpg", host="art.example"), policy())
    assert fault.value.code == "dns_failed"
