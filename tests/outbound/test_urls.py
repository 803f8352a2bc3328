"""Parsing and validation of URLs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from outbound import UrlNotAllowed, check_url, host_matches

REFUSED = {
    "url_malformed": [
        "",
        "cover.jpg",
        "/cover.jpg",
        "//host.example/",
        "https:",
        "https://",
        "https:///cover.jpg",
        "https:host.example",
        "https://@host.example/",
        "https://user@host.example/",
        "https://user:password@host.example/",
        "https://good.example@evil.example/",
        "https://good.example\\@evil.example/",
        "https://host.example\\.evil.example/",
        "https://host..example/",
        "https://.host.example/",
        "https://-host.example/",
        "https://host-.example/",
        "https://ho%73t.example/",
        "https://host.example%00.evil.example/",
        "https://host_name.example/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 127}example/",
        "https://host.example:x/",
        "https://host.example:-1/",
        "https://host.example:443:443/",
        "https://host.example:４４３/",
        "https://host.example/a b",
        "https://host.example/a\tb",
        "https://host.example/\r\nX-Header: 1",
        " https://host.example/",
        "https://host.example/\x00",
        "https://host.example/\x7f",
        "https://host.example/\u202ecod.jpg",
        "https://host.example/\ud800",
        "https://host.example/" + "a" * 2000,
        # numbers that libc parses as IP addresses
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.01/",
        "https://1.2.3.4.5/",
        "https://256.256.256.256/",
        "https://host.example.0x1/",
        # invalid content of brackets
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[host.example]/",
        "https://[v1.host]/",
        "https://x[::1]/",
        "https://[::1]x/",
    ],
    "scheme_refused": [
        "http://host.example/",
        "ftp://host.example/",
        "file:///etc/passwd",
        "gopher://host.example/",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "unix:/run/service",
        "httpss://host.example/",
    ],
    "port_refused": [
        "https://host.example:22/",
        "https://host.example:0/",
        "https://host.example:6379/",
        "https://host.example:65536/",
        "https://host.example:99999/",
    ],
    "blocked_address": [
        "https://127.0.0.1/",
        "https://127.0.0.1./",
        "https://１２７.0.0.1/",
        "https://127。0。0。1/",
        "https://169.254.169.254/latest/meta-data/",
        "http://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::]/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://10.0.0.1:22/",
    ],
}


@pytest.mark.parametrize(("code", "url"), [(code, url) for code, urls in REFUSED.items() for url in urls])
def test_an_invalid_url_has_an_error_code(code: str, url: str) -> None:
    with pytest.raises(UrlNotAllowed) as error:
        check_url(url)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://host.example", "https://host.example/"),
        ("HTTPS://HOST.Example:443/A?b=C", "https://host.example/A?b=C"),
        ("https://host.example./a", "https://host.example/a"),
        ("https://host.example:/a", "https://host.example/a"),
        ("https://host.example:80/a", "https://host.example:80/a"),
        ("https://host.example/a#part", "https://host.example/a"),
        ("https://host.example?b", "https://host.example/?b"),
        ("https://bücher.example/ü?ß", "https://xn--bcher-kva.example/%C3%BC?%C3%9F"),
        ("https://host.example/%C3%BC%20", "https://host.example/%C3%BC%20"),
        ("https://host.example/a'\"<>`{|}", "https://host.example/a'%22%3C%3E%60%7B%7C%7D"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700:4700:0::1111]/", "https://[2606:4700:4700::1111]/"),
        ("https://1and1.example/", "https://1and1.example/"),
        ("https://host.example/" + "a" * 1979, "https://host.example/" + "a" * 1979),
    ],
)
def test_valid_urls_are_normalized(url: str, normal: str) -> None:
    assert check_url(url).url == normal


def test_http_is_valid_only_if_the_settings_allow_it(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    assert check_url("http://host.example/").port == 80


def test_only_loopback_is_valid_if_the_settings_allow_it(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    assert check_url("https://127.0.0.1/").host == "127.0.0.1"
    assert check_url("https://[::1]/").authority == "[::1]"
    for other in ("10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "0.0.0.0"):
        with pytest.raises(UrlNotAllowed):
            check_url(f"https://{other}/")


def test_errors_and_logs_contain_no_secret_of_the_url(caplog: pytest.LogCaptureFixture) -> None:
    for url in ("https://10.0.0.1/path?token=hidden", "https://user:hidden@host.example/", "ftp://host.example/hidden"):
        with pytest.raises(UrlNotAllowed) as error:
            check_url(url)
        assert "hidden" not in str(error.value)
    assert [record.getMessage() for record in caplog.records] == ["outbound URL rejected"] * 3
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert [record.host for record in caplog.records] == ["10.0.0.1", "", ""]  # type: ignore[attr-defined]


_PIECES = st.sampled_from(
    [
        "https",
        "http",
        ":",
        "//",
        "/",
        "@",
        "[",
        "]",
        "%",
        "?",
        "#",
        ".",
        "\\",
        "127.0.0.1",
        "::1",
        "0x7f",
        "443",
        "é",
        "。",
    ]
)


@given(st.one_of(st.text(), st.lists(st.one_of(_PIECES, st.text(max_size=3))).map("".join)))
def test_any_text_is_parsed_or_raises_url_not_allowed(text: str) -> None:
    for url in (text, f"https://{text}", f"https://host.example/{text}"):
        try:
            address = check_url(url)
        except UrlNotAllowed:
            continue
        assert check_url(address.url) == address
        assert address.target.isascii()
        assert address.target.isprintable()
        assert " " not in address.target


@pytest.mark.parametrize(
    ("host", "pattern", "does"),
    [
        ("is1-ssl.mzstatic.com", ".mzstatic.com", True),
        ("IS1-SSL.mzstatic.com", ".MZstatic.com", True),
        ("mzstatic.com", ".mzstatic.com", False),
        ("evilmzstatic.com", ".mzstatic.com", False),
        ("mzstatic.com.evil.example", ".mzstatic.com", False),
        ("is1-ssl.mzstatic.com.evil.example", ".mzstatic.com", False),
        (".mzstatic.com", ".mzstatic.com", False),
        ("coverartarchive.org", "coverartarchive.org", True),
        ("a.coverartarchive.org", "coverartarchive.org", False),
        ("coverartarchive.org", "", False),
        ("", "", False),
        ("host.", ".", False),
        ("a.b", ".", False),
        ("mzstatic.com", "*.mzstatic.com", False),
        ("mzstaticxcom", "mzstatic.com", False),
    ],
)
def test_a_host_matches_exactly_or_by_a_domain_suffix(host: str, pattern: str, does: bool) -> None:
    assert host_matches(host, pattern) is does


_LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8)


@given(_LABELS, _LABELS, st.sampled_from([".", "-", "@", "/", "x", "%2e", "。"]))
def test_no_other_host_matches_a_suffix(before: str, after: str, between: str) -> None:
    assert host_matches(f"{before}.mzstatic.com", ".mzstatic.com")
    assert not host_matches(f"mzstatic.com{between}{after}", ".mzstatic.com")
    assert not host_matches(f"{before}mzstatic.com", ".mzstatic.com")
    if between != ".":
        assert not host_matches(f"{before}{between}mzstatic.com", ".mzstatic.com")
