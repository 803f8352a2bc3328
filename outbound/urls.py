"""Addresses of other hosts as text: what we take, and into which parts it falls. Asks no network."""

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import NoReturn
from urllib.parse import SplitResult, quote, urlsplit

from outbound.errors import UrlNotAllowed
from outbound.ip_ranges import IPAddress, is_loopback, is_public

MAX_URL_CHARS = 2000
_DEFAULT_PORTS = {"https": 443, "http": 80}
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(?::(?P<port>[0-9]{0,5}))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Browsers and libc read such a last label as a number, and the whole name as an address: 0x7f.1, 2130706433, 0177.1.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PATH_SAFE = "/%:@!$&'()*+,;=~-._"
_QUERY_SAFE = _PATH_SAFE + "?[]"


@dataclass(frozen=True)
class UrlRules:
    """What an installation takes; the caller's own list of hosts comes on top."""

    allows_http: bool = False
    allows_loopback: bool = False
    allowed_ports: frozenset[int] = frozenset({443, 80})


@dataclass(frozen=True)
class ParsedUrl:
    """`host` is in lower case, IDNA-encoded, without a trailing dot or brackets; `ip` is set if it is an address."""

    scheme: str
    host: str
    port: int
    target: str
    ip: IPAddress | None

    @property
    def authority(self) -> str:
        """As the Host header has it: without the port that goes without saying."""
        host = f"[{self.host}]" if isinstance(self.ip, IPv6Address) else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_url(url: str, rules: UrlRules) -> ParsedUrl:
    """Raises UrlNotAllowed for what we would never ask, as far as the text alone tells."""
    parts = _split(url)
    if parts.scheme not in _DEFAULT_PORTS:
        raise UrlNotAllowed("Only addresses with https are taken.", "scheme_refused")
    found = _AUTHORITY.fullmatch(parts.netloc)
    if not found:
        _refuse_form("its host is missing, or more than a host and a port")
    host, ip = _read_host(found["host"])
    # Before scheme and port: that somebody asks for an inner address is the more telling fault.
    if ip is not None:
        reject_non_public_ip(ip, rules, host=host)
    if parts.scheme == "http" and not rules.allows_http:
        raise UrlNotAllowed("Only addresses with https are taken.", "scheme_refused", host=host)
    port = int(found["port"] or _DEFAULT_PORTS[parts.scheme])
    if port not in rules.allowed_ports:
        raise UrlNotAllowed(f"Port {port} of {host} is not one we talk to.", "port_refused", host=host)
    target = quote(parts.path or "/", safe=_PATH_SAFE)
    if parts.query:
        target += "?" + quote(parts.query, safe=_QUERY_SAFE)
    return ParsedUrl(parts.scheme, host, port, target, ip)


def validate_remote_url(url: str, *, max_length: int = MAX_URL_CHARS) -> None:
    """Raise UrlNotAllowed unless the text is an http(s) URL with a host, of printable characters without spaces.

    This is the check for a URL that a client sends. `parse_url` applies the stricter rules when the URL is requested.
    Codes: url_unreadable, url_malformed, url_characters.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UrlNotAllowed(str(error), "url_unreadable") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or len(url) > max_length:
        raise UrlNotAllowed(f"Not an http(s) URL of at most {max_length} characters.", "url_malformed")
    if not url.isprintable() or " " in url:
        raise UrlNotAllowed("The URL contains a space or an invisible character.", "url_characters")


def reject_non_public_ip(ip: IPAddress, rules: UrlRules, *, host: str) -> None:
    """Raises UrlNotAllowed for an address that is not on the open internet."""
    if not (is_public(ip) or (rules.allows_loopback and is_loopback(ip))):
        raise UrlNotAllowed(f"{host} is not on the public internet.", "blocked_address", host=host)


def host_matches(host: str, pattern: str) -> bool:
    """`.mzstatic.com` stands for every host below it, not for itself; any other pattern only for itself."""
    host, pattern = host.lower(), pattern.lower()
    if pattern.startswith("."):
        return len(pattern) > 1 and len(host) > len(pattern) and host.endswith(pattern)
    return bool(pattern) and host == pattern


def is_visible(text: str) -> bool:
    """Free of spaces, controls, surrogates, and of the backslash, which some programs read as a slash."""
    return "\\" not in text and not any(unicodedata.category(char)[0] in "CZ" for char in text)


def _refuse_form(reason: str) -> NoReturn:
    raise UrlNotAllowed(f"The address is malformed: {reason}.", "url_malformed")


def _split(url: str) -> SplitResult:
    if not 0 < len(url) <= MAX_URL_CHARS:
        _refuse_form(f"it has no characters, or more than {MAX_URL_CHARS}")
    # Before anything reads it: parsers drop line ends.
    if not is_visible(url):
        _refuse_form("it holds a space, a backslash or an invisible character")
    try:
        parts = urlsplit(url)
    except ValueError:
        _refuse_form("its host cannot be read")
    if not parts.scheme:
        _refuse_form("it does not start with https")
    return parts


def _read_host(text: str) -> tuple[str, IPAddress | None]:
    if text.startswith("["):
        try:
            ip = IPv6Address(text[1:-1])
        except ValueError:
            _refuse_form("its host cannot be read")
        return str(ip), ip
    try:
        # Maps full-width digits and dots to plain ones, so what looks like an address is tested after it.
        host = text.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        _refuse_form("its host cannot be read")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        _refuse_form("its host cannot be read")
    if not _NUMBER.fullmatch(labels[-1]):
        return host, None
    try:
        return host, IPv4Address(host)
    except ValueError:
        _refuse_form("its host is a number")
