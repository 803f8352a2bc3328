"""Addresses of other hosts: their form, and which of them are public. Pure but for the settings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from django.conf import settings

from common.outbound.errors import AddressRefused

MAX_URL_CHARS = 2048
_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER_LIKE = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")


@dataclass(frozen=True)
class ParsedAddress:
    """An address in parts: `host` in lower case and ASCII, an IPv6 literal without brackets; `target` is what the
    request line asks for."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def host_matches(host: str, pattern: str) -> bool:
    """Exactly `pattern`, or for a pattern like `.example.org` any host below it. Never "contains", never "ends with"
    without the dot."""
    return host == pattern if not pattern.startswith(".") else host.endswith(pattern) and len(host) > len(pattern)


def check_url(url: str) -> ParsedAddress:
    """The address in parts, if its form is one we ask. No lookup is made. Raises AddressRefused."""
    if len(url) > MAX_URL_CHARS or not url.isprintable() or any(c.isspace() or c == "\\" for c in url):
        raise _refused("The address is too long or holds characters no address has", "url_malformed")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
        host = host if ":" in host else host.encode("idna").decode().lower()
    except (ValueError, UnicodeError) as error:
        raise _refused("The address cannot be read", "url_malformed") from error
    if parts.scheme not in _DEFAULT_PORTS or (parts.scheme == "http" and not settings.OUTBOUND_ALLOW_HTTP):
        raise _refused("Only https addresses are asked", "scheme_refused")
    if parts.username is not None or parts.password is not None:
        raise _refused("An address must not carry a user name", "url_malformed")
    if not _is_host(host):
        raise _refused("The address has no valid host", "url_malformed")
    port = port if port is not None else _DEFAULT_PORTS[parts.scheme]
    if port not in settings.OUTBOUND_ALLOWED_PORTS:
        raise _refused(f"Port {port} is not asked", "port_refused")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return ParsedAddress(parts.scheme, host, port, _in_ascii(target))


def _in_ascii(target: str) -> str:
    """Characters beyond ASCII as their UTF-8 bytes, percent-encoded; what is encoded already stays."""
    return "".join(c if c.isascii() else "".join(f"%{b:02X}" for b in c.encode("utf-8", "replace")) for c in target)


def _is_host(host: str) -> bool:
    try:
        return ip_address(host) is not None and "%" not in host
    except ValueError:
        pass
    # A last label that is a number makes some resolvers read the whole as an address: 2130706433, 0x7f.1, 127.1
    return bool(_HOST.fullmatch(host)) and not _NUMBER_LIKE.fullmatch(host.rpartition(".")[2])


def _refused(message: str, code: str) -> AddressRefused:
    return AddressRefused(message, code=code)


def is_public(address: str) -> bool:
    """Whether an IP address may be connected to: it, and every address it stands for, is public.

    With OUTBOUND_ALLOW_LOOPBACK, 127.0.0.0/8 and ::1 pass as well (development and tests only).
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if settings.OUTBOUND_ALLOW_LOOPBACK and parsed.is_loopback:
        return True
    return all(_is_plainly_public(one) for one in _stands_for(parsed))


def _stands_for(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """The address and those packed into it: mapped, compatible, 6to4, Teredo (server and client), NAT64."""
    packed: list[IPv4Address] = []
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            yield address.ipv4_mapped  # the same host under another spelling, judged as what it is
            return
        packed += [address.sixtofour] if address.sixtofour is not None else []
        packed += list(address.teredo) if address.teredo is not None else []
        if address in _COMPATIBLE or any(address in network for network in _NAT64):
            packed.append(IPv4Address(int(address) & 0xFFFFFFFF))
    yield address
    yield from packed


def _is_plainly_public(address: IPv4Address | IPv6Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    if isinstance(address, IPv6Address):
        special = special and not any(address in network for network in _NAT64)  # judged by what it stands for
        special = special or address.is_site_local or address in _COMPATIBLE
        if any(address in network for network in _NAT64):
            return not special
    return address.is_global and not special
