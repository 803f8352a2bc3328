"""Sockets to checked IP addresses of other hosts, and to own services."""

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

_MAX_TRIES = 3  # IP addresses per host, because IPv6 or IPv4 is often unreachable


@contextmanager
def connection(
    url: ParsedUrl, checked_ips: Sequence[IPAddress], deadline: Deadline, *, ca_bundle: str = ""
) -> Iterator[tuple[socket.socket, IPAddress]]:
    """Yield an open socket to one of the checked IP addresses and this address. https uses TLS for the host."""
    plain, ip = _connect(url, checked_ips, deadline)
    with plain:
        if url.scheme != "https":
            yield plain, ip
            return
        with _secured(plain, url.host, deadline, ca_bundle) as secured:
            yield secured, ip


def open_service_connection(url: str, *, timeout_seconds: float) -> socket.socket:
    """Connect to an own service of the settings: `unix:/path` or `tcp://host:port`. The caller closes the socket.

    Internal addresses are allowed here. Raises RemoteUnavailable if the service does not listen.
    """
    parts = urlsplit(url)
    is_file = parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc
    if not is_file and not (parts.scheme == "tcp" and parts.hostname and parts.port):
        raise ValueError(f"the URL of a service must be unix:/path or tcp://host:port, not {url!r}")
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
        raise RemoteUnavailable(f"The service at {url} does not respond.", "connect_failed") from error


def _connect(url: ParsedUrl, checked_ips: Sequence[IPAddress], deadline: Deadline) -> tuple[socket.socket, IPAddress]:
    tried = checked_ips[:_MAX_TRIES]
    failure: OSError | None = None
    for position, ip in enumerate(tried):
        family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
        candidate = socket.socket(family, socket.SOCK_STREAM)
        try:
            # Divide the time, so that an address that drops packets does not use all of it.
            candidate.settimeout(deadline.seconds_left() / (len(tried) - position))
            # Connect to the checked IP address: a second lookup of the host may return another one.
            candidate.connect((str(ip), url.port))
        except OSError as error:
            candidate.close()
            failure = error
        except BaseException:
            candidate.close()
            raise
        else:
            candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return candidate, ip
    raise RemoteUnavailable(f"{url.host} takes no connection.", "connect_failed", host=url.host) from failure


def _secured(plain: socket.socket, host: str, deadline: Deadline, ca_bundle: str) -> ssl.SSLSocket:
    try:
        secured = _tls(ca_bundle).wrap_socket(
            plain,
            server_hostname=host,  # the certificate must be valid for it
            do_handshake_on_connect=False,
            # Without close_notify an attacker may have truncated a body without Content-Length.
            suppress_ragged_eofs=False,
        )
    except OSError as error:  # closed since it connected
        raise RemoteUnavailable(f"{host} broke off.", "connect_failed", host=host) from error
    try:
        # The timeout applies to the whole handshake, so a slow server cannot extend it.
        secured.settimeout(deadline.seconds_left())
        secured.do_handshake()
    except TimeoutError as error:
        secured.close()
        raise RemoteUnavailable(f"{host} did not respond in time.", "timeout", host=host) from error
    except OSError as error:
        secured.close()
        raise RemoteUnavailable(f"{host} did not prove who it is.", "tls_failed", host=host) from error
    except BaseException:
        secured.close()
        raise
    return secured


@lru_cache(maxsize=8)
def _tls(ca_bundle: str) -> ssl.SSLContext:
    """Return the TLS context of a bundle, cached because reading the authorities of the system takes milliseconds.

    Not `create_default_context`, which would write session keys to SSLKEYLOGFILE.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificates and names
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_bundle:
        context.load_verify_locations(ca_bundle)
    else:
        context.load_default_certs()
    return context
