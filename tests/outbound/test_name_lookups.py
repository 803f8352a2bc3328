"""Names are resolved once per hop; all their IPs are checked, and the certificate must match."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from outbound import FetchPolicy, RemoteUnavailable, UrlNotAllowed, fetch
from tests.support.fake_dns import answers_in_turn, resolve_names
from tests.support.source_server import SourceServer

Policies = Callable[..., FetchPolicy]


def test_the_certificate_must_match_the_requested_host(server: SourceServer, policy: Policies) -> None:
    server.serve("/cover.jpg", b"picture")
    with resolve_names(**{"cdn.art.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}):
        assert fetch(server.url("/cover.jpg", host="cdn.art.example"), policy()).host == "cdn.art.example"
        with pytest.raises(RemoteUnavailable) as error:
            fetch(server.url("/cover.jpg", host="other.example"), policy())
    assert error.value.code == "tls_failed"
    assert [request.server_name for request in server.requests] == ["cdn.art.example"]
    assert server.requests[0].headers["host"] == f"cdn.art.example:{server.port}"


def test_the_certificate_must_be_signed_by_a_trusted_authority(
    server: SourceServer, policy: Policies, settings: Settings
) -> None:
    settings.OUTBOUND_CA_BUNDLE = ""
    with pytest.raises(RemoteUnavailable) as error:
        fetch(server.url("/empty"), policy())
    assert error.value.code == "tls_failed"
    assert not server.requests


def test_a_name_is_resolved_once_and_the_checked_ip_is_used(server: SourceServer, policy: Policies) -> None:
    """A resolver with another result for a second query (DNS rebinding) gets no second query."""
    url = server.url("/cover.jpg", host="art.example")
    server.serve("/cover.jpg", b"picture")
    with answers_in_turn({"art.example": [["127.0.0.1"], ["10.0.0.1"]]}) as resolved:
        assert fetch(url, policy()).ip == "127.0.0.1"
    assert resolved == ["art.example"]


def test_each_redirect_is_resolved_and_checked(server: SourceServer, policy: Policies) -> None:
    server.redirect("/first", "/second")
    server.serve("/second", b"picture")
    url = server.url("/first", host="art.example")
    with (
        answers_in_turn({"art.example": [["127.0.0.1"], ["10.0.0.1"]]}) as resolved,
        pytest.raises(UrlNotAllowed) as error,
    ):
        fetch(url, policy(max_redirects=3))
    assert error.value.code == "blocked_address"
    assert resolved == ["art.example"] * 2
    assert not server.request_count("/second")


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
def test_a_name_with_any_private_ip_is_rejected(
    answers: list[str], server: SourceServer, policy: Policies, caplog: pytest.LogCaptureFixture
) -> None:
    with resolve_names(**{"art.example": answers}), pytest.raises(UrlNotAllowed) as error:
        fetch(server.url("/cover.jpg", host="art.example"), policy())
    assert error.value.code == "blocked_address"
    assert not server.connections
    [record] = caplog.records
    assert (record.getMessage(), record.host) == ("outbound URL rejected", "art.example")  # type: ignore[attr-defined]


def test_loopback_is_rejected_unless_the_settings_allow_it(
    server: SourceServer, policy: Policies, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    for host in ("127.0.0.1", "art.example"):
        with resolve_names(**{"art.example": ["127.0.0.1"]}), pytest.raises(UrlNotAllowed) as error:
            fetch(server.url("/empty", host=host), policy())
        assert error.value.code == "blocked_address"
    assert not server.connections


def test_a_host_that_the_policy_excludes_gets_no_request(server: SourceServer, policy: Policies) -> None:
    seen: list[str] = []

    def refuse(host: str) -> bool:
        seen.append(host)
        return False

    with resolve_names(**{"xn--bcher-kva.example": ["127.0.0.1"]}) as resolved, pytest.raises(UrlNotAllowed) as error:
        fetch(f"https://BÜCHER.example.:{server.port}/", policy(is_allowed_host=refuse))
    assert error.value.code == "host_not_allowed"
    assert seen == ["xn--bcher-kva.example"]
    assert not resolved
    assert not server.connections


def test_the_next_ip_is_tried_if_a_connection_fails(server: SourceServer, policy: Policies) -> None:
    server.serve("/cover.jpg", b"picture")
    with resolve_names(**{"art.example": ["::1", "127.0.0.1"]}):
        assert fetch(server.url("/cover.jpg", host="art.example"), policy()).ip == "127.0.0.1"


@pytest.mark.parametrize("answers", [{}, {"art.example": []}])
def test_an_unresolvable_name_is_a_temporary_error(
    answers: dict[str, list[str]], server: SourceServer, policy: Policies
) -> None:
    with resolve_names(**answers), pytest.raises(RemoteUnavailable) as error:
        fetch(server.url("/cover.jpg", host="art.example"), policy())
    assert error.value.code == "dns_failed"
