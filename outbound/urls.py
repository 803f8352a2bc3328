"""Parse and check URLs of other hosts. Pure."""

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
# Browsers and libc parse a host with such a last label as an IP address: 0x7f.1, 2130706433, 0177.1.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PATH_SAFE = "/%:@!$&'()*+,;=~-._"
_QUERY_SAFE = _PATH_SAFE + "?[]"


@dataclass(frozen=True)
class UrlRules:
    """Rules of the installation for all URLs. Callers also have a list of hosts."""

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
        """The value of the Host header, without the default port."""
        host = f"[{self.host}]" if isinstance(self.ip, IPv6Address) else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_url(url: str, rules: UrlRules) -> ParsedUrl:
    """Parse a URL. Raises UrlNotAllowed if it must not be requested, judged by its text."""
    parts = _split(url)
    if parts.scheme not in _DEFAULT_PORTS:
        raise UrlNotAllowed("Only addresses with https are taken.", "scheme_refused")
    match = _AUTHORITY.fullmatch(parts.netloc)
    if not match:
        _reject_malformed("its host is missing, or more than a host and a port")
    host, ip = _read_host(match["host"])
    # Before scheme and port, because a request for an internal address is the more important error.
    if ip is not None:
        reject_non_public_ip(ip, rules, host=host)
    if parts.scheme == "http" and not rules.allows_http:
        raise UrlNotAllowed("Only addresses with https are taken.", "scheme_refused", host=host)
    port = int(match["port"] or _DEFAULT_PORTS[parts.scheme])
    if port not in rules.allowed_ports:
        raise UrlNotAllowed(f"Port {port} of {host} is not allowed.", "port_refused", host=host)
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
    """Raise UrlNotAllowed if the IP address is not public."""
    if not (is_public(ip) or (rules.allows_loopback and is_loopback(ip))):
        raise UrlNotAllowed(f"{host} is not on the public internet.", "blocked_address", host=host)


def host_matches(host: str, pattern: str) -> bool:
    """True if `host` equals `pattern`. `.mzstatic.com` matches all subdomains, but not the domain itself."""
    host, pattern = host.lower(), pattern.lower()
    if pattern.startswith("."):
        return len(pattern) > 1 and len(host) > len(pattern) and host.endswith(pattern)
    return bool(pattern) and host == pattern


def is_visible(text: str) -> bool:
    """True if the text has no spaces, controls, surrogates or backslashes, which some programs read as slashes."""
    return "\\" not in text and not any(unicodedata.category(char)[0] in "CZ" for char in text)


def _reject_malformed(reason: str) -> NoReturn:
    raise UrlNotAllowed(f"The address is malformed: {reason}.", "url_malformed")


def _split(url: str) -> SplitResult:
    if not 0 < len(url) <= MAX_URL_CHARS:
        _reject_malformed(f"it has no characters, or more than {MAX_URL_CHARS}")
    # Before parsing, because parsers drop line breaks.
    if not is_visible(url):
        _reject_malformed("it holds a space, a backslash or an invisible character")
    try:
        parts = urlsplit(url)
    except ValueError:
        _reject_malformed("its host cannot be read")
    if not parts.scheme:
        _reject_malformed("it does not start with https")
    return parts


def _read_host(text: str) -> tuple[str, IPAddress | None]:
    if text.startswith("["):
        try:
            ip = IPv6Address(text[1:-1])
        except ValueError:
            _reject_malformed("its host cannot be read")
        return str(ip), ip
    try:
        # IDNA maps full-width digits and dots to ASCII, so IP addresses are detected after it.
        host = text.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        _reject_malformed("its host cannot be read")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        _reject_malformed("its host cannot be read")
    if not _NUMBER.fullmatch(labels[-1]):
        return host, None
    try:
        return host, IPv4Address(host)
    except ValueError:
        _reject_malformed("its host is a number")
