"""Requests of `fetch` and `post`, and the responses they accept."""

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


def test_a_fetch_returns_the_response(server: SourceServer, policy: Policies) -> None:
    url = server.serve("/cover.jpg", b"picture", content_type="Image/JPEG; x=y")
    fetched = fetch(url + "?size=3#part", policy())
    assert (fetched.content, fetched.content_type, fetched.status) == (b"picture", "image/jpeg", 200)
    assert (fetched.url, fetched.host, fetched.ip) == (url + "?size=3", "127.0.0.1", "127.0.0.1")
    assert fetched.redirects == ()


def test_requests_contain_only_the_required_headers(
    server: SourceServer, policy: Policies, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies, credentials and cookies of the environment are not used."""
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


def test_plain_http_is_requested_only_if_the_settings_allow_it(
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
def test_every_valid_form_of_a_response_is_accepted(
    path: str, content: bytes, server: SourceServer, policy: Policies
) -> None:
    assert fetch(server.url(path), policy()).content == content


def test_a_body_of_exactly_the_maximum_size_is_accepted(server: SourceServer, policy: Policies) -> None:
    url = server.serve("/cover.jpg", bytes(100_000))
    assert len(fetch(url, policy(max_bytes=100_000)).content) == 100_000
    with pytest.raises(ResponseRejected):
        fetch(url, policy(max_bytes=99_999))


def test_a_wrong_content_type_is_returned_with_the_bytes(server: SourceServer, policy: Policies) -> None:
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
def test_each_status_raises_its_error(
    path: str, kind: type[RegistryError], code: str, server: SourceServer, policy: Policies
) -> None:
    with pytest.raises(kind) as error:
        fetch(server.url(path + "?token=hidden"), policy())
    assert error.value.code == code
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "delay"),
    [
        ("/later-seconds", 120),
        ("/later-date", pytest.approx(120, abs=20)),
        ("/later-absurd", None),
        ("/later-negative", None),
        ("/status-429", None),
        ("/forbidden-later", 60),
    ],
)
def test_retry_after_is_in_the_error(path: str, delay: int | None, server: SourceServer, policy: Policies) -> None:
    with pytest.raises(RemoteRateLimited) as error:
        fetch(server.url(path), policy(throttling_statuses=frozenset({403, 429})))
    assert error.value.retry_after_seconds == delay


@pytest.mark.parametrize("path", ["/gzip-bomb", "/brotli-bomb", "/nested-encodings", "/gzip-framing"])
def test_an_encoded_body_is_rejected(path: str, server: SourceServer, policy: Policies) -> None:
    with pytest.raises(ResponseRejected) as error:
        fetch(server.url(path), policy())
    assert error.value.code == "encoded_body"


def test_a_body_is_posted_and_a_small_response_returned(server: SourceServer, policy: Policies) -> None:
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


def test_a_post_goes_to_the_given_url_only(server: SourceServer, policy: Policies) -> None:
    server.redirect("/hook", "/elsewhere", status=307)
    with pytest.raises(UrlNotAllowed) as error:
        post(server.url("/hook"), b"{}", {}, policy(max_redirects=3))
    assert error.value.code == "redirect_refused"
    with pytest.raises(UrlNotAllowed):
        post("https://10.0.0.1/hook", b"{}", {}, policy())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("X-A", "a\r\nX-B: b"), ("X-A\r\nX-B", "b"), ("Host", "other.example"), ("X A", "b"), ("", "")]
)
def test_a_header_cannot_inject_another(name: str, value: str, server: SourceServer, policy: Policies) -> None:
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
def test_a_pickled_error_keeps_its_code(kind: type[UrlNotAllowed], parent: type[RegistryError]) -> None:
    error = pickle.loads(pickle.dumps(kind("Sentence.", "some_code", host="art.example")))  # noqa: S301
    assert isinstance(error, parent)
    assert (error.message, error.code, error.host) == ("Sentence.", "some_code", "art.example")
    assert kind("Sentence.").code == kind.code
