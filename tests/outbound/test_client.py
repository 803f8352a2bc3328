"""What a fetch asks of a source, and which answers it takes."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from common.errors import InvalidInput, NotFound, RegistryError, Unavailable
from outbound import (
    FetchPolicy,
    RemoteNotFound,
    RemoteRateLimited,
    RemoteUnavailable,
    ResponseRejected,
    UrlNotAllowed,
    fetch,
    post,
)
from tests.support.source_server import SourceServer

Policies = Callable[..., FetchPolicy]


def test_gives_what_a_source_answers(server: SourceServer, policy: Policies) -> None:
    url = server.serve("/cover.jpg", b"picture", content_type="Image/JPEG; x=y")
    fetched = fetch(url + "?size=3#part", policy())
    assert (fetched.content, fetched.content_type, fetched.status) == (b"picture", "image/jpeg", 200)
    assert (fetched.url, fetched.host, fetched.ip) == (url + "?size=3", "127.0.0.1", "127.0.0.1")
    assert fetched.redirects == ()


def test_tells_a_source_nothing_but_what_it_needs(
    server: SourceServer, policy: Policies, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither proxies, credentials nor cookies of whoever runs the registry are used."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password hidden\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    (tmp_path / ".netrc").write_bytes(netrc.read_bytes())
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    server.serve("/second", b"a", headers={"Set-Cookie": "a=b"})
    server.serve("/first", b"", status=302, headers={"Location": "/second", "Set-Cookie": "session=hidden"})
    settings.OUTBOUND_USER_AGENT = "Registry/2 (art@registry.example)"
    fetch(server.url("/first?key=hidden"), policy(max_redirects=1, accept="image/png"))
    assert server.requests[1].lines == (
        "GET /second HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: Registry/2 (art@registry.example)",
        "Accept-Encoding: identity",
        "Connection: close",
        "Accept: image/png",
    )
    assert {*server.requests[0].headers} == {*server.requests[1].headers}


def test_asks_for_plain_http_only_where_the_settings_allow_it(
    server: SourceServer, policy: Policies, settings: Settings
) -> None:
    server.serve("/cover.jpg", b"picture")
    url = server.url("/cover.jpg", scheme="http")
    with pytest.raises(UrlNotAllowed):
        fetch(url, policy())
    settings.OUTBOUND_ALLOW_HTTP = True
    assert fetch(url, policy()).content == b"picture"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/empty", b""),
        ("/no-content", b""),
        ("/chunked", b"abcdefg"),
        ("/until-closed", b"abcdefg"),
        ("/old-http", b"abcdefg"),
        ("/continued", b"a"),
        ("/longer-than-stated", b"abcd"),
        ("/status-201", b"sorry"),
    ],
)
def test_takes_every_honest_form_of_an_answer(
    path: str, content: bytes, server: SourceServer, policy: Policies
) -> None:
    assert fetch(server.url(path), policy()).content == content


def test_takes_a_body_of_just_the_size_allowed(server: SourceServer, policy: Policies) -> None:
    url = server.serve("/cover.jpg", bytes(100_000))
    assert len(fetch(url, policy(max_bytes=100_000)).content) == 100_000
    with pytest.raises(ResponseRejected):
        fetch(url, policy(max_bytes=99_999))


def test_hands_over_the_claim_and_the_bytes_of_a_source_that_lies(server: SourceServer, policy: Policies) -> None:
    fetched = fetch(server.url("/lying-type"), policy())
    assert fetched.content_type == "image/jpeg"
    assert fetched.content.startswith(b"<svg")


@pytest.mark.parametrize(
    ("path", "kind", "code"),
    [
        ("/status-404", RemoteNotFound, "source_absent"),
        ("/status-410", RemoteNotFound, "source_absent"),
        ("/nothing-here", RemoteNotFound, "source_absent"),
        ("/status-429", RemoteRateLimited, "source_throttled"),
        ("/status-206", ResponseRejected, "unexpected_status"),
        ("/status-300", ResponseRejected, "unexpected_status"),
        ("/status-400", ResponseRejected, "unexpected_status"),
        ("/status-401", ResponseRejected, "unexpected_status"),
        ("/status-403", ResponseRejected, "unexpected_status"),
        ("/status-418", ResponseRejected, "unexpected_status"),
        ("/status-500", RemoteUnavailable, "server_error"),
        ("/status-502", RemoteUnavailable, "server_error"),
        ("/status-503", RemoteUnavailable, "server_error"),
        ("/status-504", RemoteUnavailable, "server_error"),
        ("/status-599", RemoteUnavailable, "server_error"),
    ],
)
def test_tells_apart_what_a_status_means(
    path: str, kind: type[RegistryError], code: str, server: SourceServer, policy: Policies
) -> None:
    with pytest.raises(kind) as fault:
        fetch(server.url(path + "?token=hidden"), policy())
    assert fault.value.code == code
    assert "hidden" not in str(fault.value)


@pytest.mark.parametrize(
    ("path", "wish"),
    [
        ("/later-seconds", 120),
        ("/later-date", pytest.approx(120, abs=20)),
        ("/later-absurd", None),
        ("/later-negative", None),
        ("/status-429", None),
        ("/forbidden-later", 60),
    ],
)
def test_passes_on_when_a_source_wants_to_be_asked_again(
    path: str, wish: int | None, server: SourceServer, policy: Policies
) -> None:
    with pytest.raises(RemoteRateLimited) as fault:
        fetch(server.url(path), policy(throttling_statuses=frozenset({403, 429})))
    assert fault.value.retry_after_seconds == wish


@pytest.mark.parametrize("path", ["/gzip-bomb", "/brotli-bomb", "/nested-encodings", "/gzip-framing"])
def test_refuses_an_encoded_body(path: str, server: SourceServer, policy: Policies) -> None:
    with pytest.raises(ResponseRejected) as fault:
        fetch(server.url(path), policy())
    assert fault.value.code == "encoded_body"


def test_posts_a_body_and_takes_a_small_answer(server: SourceServer, policy: Policies) -> None:
    server.serve("/hook", b"thanks", content_type="text/plain")
    body = b"{}" * 100_000
    answer = post(server.url("/hook"), body, {"Content-Type": "application/json", "X-Signature": "abc"}, policy())
    assert answer.content == b"thanks"
    [request] = server.requests
    assert (request.method, request.body) == ("POST", body)
    assert (request.headers["content-type"], request.headers["x-signature"]) == ("application/json", "abc")
    server.serve("/hook", bytes(65 * 1024))
    with pytest.raises(ResponseRejected):
        post(server.url("/hook"), b"", {}, policy())


def test_posts_to_the_address_given_and_to_no_other(server: SourceServer, policy: Policies) -> None:
    server.redirect("/hook", "/elsewhere", status=307)
    with pytest.raises(UrlNotAllowed) as refusal:
        post(server.url("/hook"), b"{}", {}, policy(max_redirects=3))
    assert refusal.value.code == "redirect_refused"
    with pytest.raises(UrlNotAllowed):
        post("https://10.0.0.1/hook", b"{}", {}, policy())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("X-A", "a\r\nX-B: b"), ("X-A\r\nX-B", "b"), ("Host", "other.example"), ("X A", "b"), ("", "")]
)
def test_posts_no_header_that_would_be_another(name: str, value: str, server: SourceServer, policy: Policies) -> None:
    with pytest.raises(ValueError):
        post(server.url("/hook"), b"", {name: value}, policy())
    assert not server.connections


@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        (UrlNotAllowed, InvalidInput),
        (ResponseRejected, InvalidInput),
        (RemoteNotFound, NotFound),
        (RemoteRateLimited, Unavailable),
        (RemoteUnavailable, Unavailable),
    ],
)
def test_a_fault_keeps_its_code_on_its_way_between_processes(
    kind: type[UrlNotAllowed], parent: type[RegistryError]
) -> None:
    fault = pickle.loads(pickle.dumps(kind("Sentence.", "some_code", host="art.example")))  # noqa: S301
    assert isinstance(fault, parent)
    assert (fault.message, fault.code, fault.host) == ("Sentence.", "some_code", "art.example")
    assert kind("Sentence.").code == kind.code
