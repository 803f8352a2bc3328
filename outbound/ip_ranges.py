"""Decide which IP addresses are public.

The standard library is not sufficient: `::ffff:127.0.0.1` is not in 127.0.0.0/8, some versions classify 100.64.0.0/10
as neither private nor global, and all classify `64:ff9b::a9fe:a9fe`, the metadata address of clouds behind NAT64, as
global. Therefore addresses embedded in an address are extracted, and all of them must be public.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address

# The IANA registries of special-purpose addresses, independent of the Python version.
_BLOCKED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers (CGNAT)
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and every cloud's metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_ALLOCATED_V6 = IPv6Network("2000::/3")  # all allocated global unicast addresses
_BLOCKED_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20"))
_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("64:ff9b::/96")  # NAT64; its local form 64:ff9b:1::/48 is outside of 2000::/3, so blocked
_LOOPBACKS = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_ISATAP = (0x00005EFE, 0x02005EFE)


def is_public(address: IPAddress) -> bool:
    """True if the address and all addresses embedded in it are public."""
    embedded = tuple(_embedded_in(address)) if isinstance(address, IPv6Address) else ()
    return all(_is_plainly_public(one) for one in embedded or (address,))


def is_loopback(address: IPAddress) -> bool:
    """True for 127.0.0.0/8 and ::1, but not for addresses that embed one of them."""
    return any(address.version == network.version and address in network for network in _LOOPBACKS)


def _embedded_in(address: IPv6Address) -> Iterator[IPAddress]:
    number = int(address)
    low = IPv4Address(number & 0xFFFFFFFF)
    if address.ipv4_mapped or address in _COMPATIBLE or address in _TRANSLATED:
        yield low
    elif address.sixtofour:
        yield address.sixtofour
    elif address.teredo:
        yield from address.teredo  # the server, then the client
    elif number >> 32 & 0xFFFFFFFF in _ISATAP:
        yield low
        yield IPv6Address(number >> 64 << 64)  # its network


def _is_plainly_public(address: IPAddress) -> bool:
    if isinstance(address, IPv6Address):
        is_allocated = address in _ALLOCATED_V6 and address.scope_id is None
        blocked: tuple[IPv4Network, ...] | tuple[IPv6Network, ...] = _BLOCKED_V6
    else:
        is_allocated, blocked = True, _BLOCKED_V4
    return (
        is_allocated
        and not any(address in network for network in blocked)
        and address.is_global
        and not (address.is_multicast or address.is_reserved)
    )
