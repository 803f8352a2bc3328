"""Lookups and connections: looked up once, checked, connected to the very address that was checked."""

import logging
import queue
import socket
import ssl
import threading
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from common.outbound.addresses import ParsedAddress, is_public
from common.outbound.errors import AddressRefused, SourceUnavailable

log = logging.getLogger(__name__)


def resolve(host: str, port: int, *, timeout_seconds: float) -> str:
    """One public address of the host. Raises AddressRefused if any answer is not public, SourceUnavailable.

    In a thread of its own, because a lookup knows no time limit.
    """
    answers: queue.Queue[list[str] | Exception] = queue.Queue(1)

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(answer[4][0]) for answer in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, daemon=True, name="outbound lookup").start()
    try:
        answer = answers.get(timeout=timeout_seconds)
    except queue.Empty:
        raise SourceUnavailable(f"The name {host} was not looked up in time", code="dns_failed") from None
    if isinstance(answer, Exception) or not answer:
        raise SourceUnavailable(f"The name {host} is not known", code="dns_failed")
    if not all(is_public(address) for address in answer):
        log.warning("outbound address blocked", extra={"host": host})
        raise AddressRefused(f"{host} leads to an address that is not public", code="blocked_address")
    return answer[0]


class Connection:
    """A socket that is shut when its time is up, whatever it is doing: a peer that sends a byte a second never trips
    a socket's own timeout."""

    def __init__(self, address: ParsedAddress, ip: str, *, connect_seconds: float, idle_seconds: float) -> None:
        self.is_cut_off = False
        self._timer: threading.Timer | None = None
        try:
            self._raw = socket.create_connection((ip, address.port), timeout=connect_seconds)
        except OSError as error:
            raise SourceUnavailable(f"{address.host} cannot be reached", code="connect_failed") from error
        self._raw.settimeout(idle_seconds)
        self.socket: socket.socket = self._raw
        self._address = address

    def cut_off_in(self, seconds: float) -> None:
        """Replaces an earlier time limit."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(max(seconds, 0.001), self._cut_off)
        self._timer.daemon = True
        self._timer.start()

    def _cut_off(self) -> None:
        self.is_cut_off = True
        try:
            # On the bare socket: the secured one would first say goodbye to a peer that does not listen.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
        except OSError:
            log.debug("connection was closed already")

    def secure(self) -> None:
        """TLS for the host's own name, whatever address was connected to."""
        try:
            # In two steps, so that what the timer shuts is the socket that shakes hands.
            secured = _tls(settings.OUTBOUND_CA_FILE).wrap_socket(
                self._raw, server_hostname=self._address.host, do_handshake_on_connect=False
            )
            self.socket = secured
            secured.do_handshake()
        except OSError as error:
            if self.is_cut_off or isinstance(error, TimeoutError):
                raise SourceUnavailable(f"{self._address.host} did not answer in time", code="timeout") from error
            raise SourceUnavailable(f"{self._address.host} has no valid certificate", code="tls_failed") from error

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.socket.close()


@lru_cache(maxsize=4)
def _tls(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def open_service_connection(address: str, *, timeout_seconds: float) -> socket.socket:
    """A connection to a service of our own: `tcp://host:port` or `unix:///path`. Raises OSError, ValueError."""
    parts = urlsplit(address)
    if parts.scheme == "unix":
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(timeout_seconds)
            line.connect(parts.path)
        except OSError:
            line.close()
            raise
        return line
    if parts.scheme != "tcp" or not parts.hostname or not parts.port:
        raise ValueError(f"not an address of a service: {address}")
    return socket.create_connection((parts.hostname, parts.port), timeout=timeout_seconds)
