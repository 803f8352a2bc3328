"""Sockets: to checked addresses of other hosts, and to services of our own."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from urllib.parse import urlsplit

from outbound.deadlines import Deadline
from outbound.errors import RemoteUnavailable
from outbound.ip_ranges import IPAddress
from outbound.urls import ParsedUrl

_MAX_TRIES = 3  # of a name's addresses: one family of them is often unreachable


@contextmanager
def connection(
    address: ParsedUrl, checked: Sequence[IPAddress], deadline: Deadline, *, ca_bundle: str = ""
) -> Iterator[tuple[socket.socket, IPAddress]]:
    """An open socket to one of the checked addresses, with TLS for the name if the scheme wants it."""
    plain, ip = _connect(address, checked, deadline)
    with plain:
        if address.scheme != "https":
            yield plain, ip
            return
        with _secured(plain, address.host, deadline, ca_bundle) as secured:
            yield secured, ip


def open_service_connection(address: str, *, timeout_seconds: float) -> socket.socket:
    """To a service of our own, named in the settings: `unix:/path` or `tcp://host:port`. The caller closes it.

    No address is refused here: such services stand on inner addresses. Raises RemoteUnavailable if none listens.
    """
    parts = urlsplit(address)
    is_file = parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc
    if not is_file and not (parts.scheme == "tcp" and parts.hostname and parts.port):
        raise ValueError(f"a service's address is unix:/path or tcp://host:port, not {address!r}")
    try:
        if not is_file:
            return socket.create_connection((parts.hostname, parts.port), timeout=timeout_seconds)
        service = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            service.settimeout(timeout_seconds)
            service.connect(parts.path)
        except BaseException:
            service.close()
            raise
        return service
    except OSError as error:
        raise RemoteUnavailable(f"The service at {address} does not answer.", "connect_failed") from error


def _connect(address: ParsedUrl, checked: Sequence[IPAddress], deadline: Deadline) -> tuple[socket.socket, IPAddress]:
    tried = checked[:_MAX_TRIES]
    failure: OSError | None = None
    for position, ip in enumerate(tried):
        family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
        candidate = socket.socket(family, socket.SOCK_STREAM)
        try:
            # A share of the time for each, so that one which swallows packets does not use it all.
            candidate.settimeout(deadline.seconds_left() / (len(tried) - position))
            # The address just checked, never the name: a second lookup may answer differently.
            candidate.connect((str(ip), address.port))
        except OSError as error:
            candidate.close()
            failure = error
        except BaseException:
            candidate.close()
            raise
        else:
            candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return candidate, ip
    raise RemoteUnavailable(f"{address.host} takes no connection.", "connect_failed", host=address.host) from failure


def _secured(plain: socket.socket, host: str, deadline: Deadline, ca_bundle: str) -> ssl.SSLSocket:
    try:
        secured = _tls(ca_bundle).wrap_socket(
            plain,
            server_hostname=host,  # also the name the certificate must bear
            do_handshake_on_connect=False,
            # An end without a farewell may be an attacker's cut through a body without a stated length.
            suppress_ragged_eofs=False,
        )
    except OSError as error:  # gone again since it connected
        raise RemoteUnavailable(f"{host} broke off.", "connect_failed", host=host) from error
    try:
        # A handshake's timeout is one for all of its messages, so one drop a second does not outlast it.
        secured.settimeout(deadline.seconds_left())
        secured.do_handshake()
    except TimeoutError as error:
        secured.close()
        raise RemoteUnavailable(f"{host} did not answer in time.", "timeout", host=host) from error
    except OSError as error:
        secured.close()
        raise RemoteUnavailable(f"{host} did not prove who it is.", "tls_failed", host=host) from error
    except BaseException:
        secured.close()
        raise
    return secured


@lru_cache(maxsize=8)
def _tls(ca_bundle: str) -> ssl.SSLContext:
    """Made once for each bundle, as reading the system's authorities takes milliseconds.

    Not by `create_default_context`, which would write session keys wherever SSLKEYLOGFILE says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificates and names
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_bundle:
        context.load_verify_locations(ca_bundle)
    else:
        context.load_default_certs()
    return context
