"""Ask another host. Plain HTTP/1.1 over a checked connection of our own: no library's retry, pool, proxy, cookie or
redirect stands between the check and the request."""

import http.client
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

from django.conf import settings

from common.outbound.addresses import ParsedAddress, check_url
from common.outbound.connecting import Connection, resolve
from common.outbound.errors import (
    AddressRefused,
    ResponseRefused,
    SourceAbsent,
    SourceThrottled,
    SourceUnavailable,
)

log = logging.getLogger(__name__)

_PIECE_BYTES = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_RETRY_AFTER_SECONDS = 30 * 86_400


@dataclass(frozen=True)
class FetchPolicy:
    """What the caller decides. `is_allowed_host` is asked for the first host and for each a redirect leads to."""

    is_allowed_host: Callable[[str], bool]
    max_bytes: int = 10 * 1024 * 1024
    max_redirects: int = 0
    connect_seconds: float = 2.0
    first_byte_seconds: float = 5.0
    total_seconds: float = 20.0
    min_bytes_per_second: int = 8 * 1024
    min_rate_window_seconds: float = 5.0
    accept: str = "image/jpeg, image/png, image/webp"
    throttling_statuses: frozenset[int] = frozenset({429})


@dataclass(frozen=True)
class Fetched:
    """An answer. `url` is the last one asked, `ip` what was connected to, `redirects` the addresses on the way."""

    url: str
    host: str
    ip: str
    status: int
    content_type: str
    content: bytes
    redirects: tuple[str, ...] = ()


def fetch(url: str, policy: FetchPolicy) -> Fetched:
    """GET. Raises AddressRefused, ResponseRefused, SourceAbsent, SourceThrottled, SourceUnavailable."""
    deadline = time.monotonic() + policy.total_seconds
    seen: list[str] = []
    try:
        while True:
            address = _check(url, policy)
            answer = _ask("GET", url, address, policy, deadline, body=None, headers={})
            if isinstance(answer, Fetched):
                return Fetched(**{**vars(answer), "redirects": tuple(seen)})
            seen.append(url)
            if len(seen) > policy.max_redirects:
                raise AddressRefused(f"{address.host} redirects too often", code="too_many_redirects")
            url = _next_hop(url, answer)
    except AddressRefused as refusal:
        log.warning("outbound request refused", extra={"code": refusal.code, "reason": refusal.message})
        raise


def post(url: str, body: bytes, *, headers: Mapping[str, str], policy: FetchPolicy) -> Fetched:
    """POST; a redirect is refused. Raises as `fetch` does."""
    deadline = time.monotonic() + policy.total_seconds
    address = _check(url, policy)
    answer = _ask("POST", url, address, policy, deadline, body=body, headers=headers)
    if not isinstance(answer, Fetched):
        raise AddressRefused(f"{address.host} redirects", code="redirect_refused")
    return answer


def _check(url: str, policy: FetchPolicy) -> ParsedAddress:
    address = check_url(url)
    if not policy.is_allowed_host(address.host):
        raise AddressRefused(f"{address.host} is not on the list of hosts that may be asked", code="host_not_allowed")
    return address


def _next_hop(url: str, location: str) -> str:
    target = urljoin(url, location).partition("#")[0]
    if url.startswith("https:") and target.startswith("http:"):
        raise AddressRefused("A redirect leads from https to http", code="redirect_refused")
    return target


def _ask(
    method: str, url: str, address: ParsedAddress, policy: FetchPolicy, deadline: float, *,
    body: bytes | None, headers: Mapping[str, str],
) -> Fetched | str:  # fmt: skip
    """The answer, or where it redirects to."""
    ip = resolve(address.host, address.port, timeout_seconds=min(policy.connect_seconds, _left(deadline, address)))
    connection = Connection(
        address,
        ip,
        connect_seconds=min(policy.connect_seconds, _left(deadline, address)),
        idle_seconds=policy.min_rate_window_seconds,
    )
    with closing(connection):
        connection.cut_off_in(min(policy.first_byte_seconds, _left(deadline, address)))
        if address.scheme == "https":
            connection.secure()
        try:
            response = _send(method, address, connection, policy, body=body, headers=headers)
            connection.cut_off_in(_left(deadline, address))
            location = _judge_head(response, address, policy)
            if location is not None:
                return location
            content = _read_body(response, address, policy)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _broken(connection, address, error) from error
        if connection.is_cut_off:  # a body without a length ends where the connection does
            raise SourceUnavailable(f"{address.host} did not finish in time", code="timeout")
        content_type = response.getheader("Content-Type", "")[:200]
        return Fetched(url, address.host, ip, response.status, content_type, content)


def _send(
    method: str, address: ParsedAddress, connection: Connection, policy: FetchPolicy, *,
    body: bytes | None, headers: Mapping[str, str],
) -> http.client.HTTPResponse:  # fmt: skip
    exchange = http.client.HTTPConnection(address.host, address.port)
    exchange.auto_open = 0
    exchange.sock = connection.socket
    exchange.putrequest(method, address.target, skip_host=True, skip_accept_encoding=True)
    own = {
        "Host": address.host_header,
        "User-Agent": settings.OUTBOUND_USER_AGENT,
        "Accept": policy.accept,
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    for name, value in {**own, **headers}.items():
        exchange.putheader(name, value)
    if body is not None:
        exchange.putheader("Content-Length", str(len(body)))
    exchange.endheaders(body)
    return exchange.getresponse()


def _judge_head(response: http.client.HTTPResponse, address: ParsedAddress, policy: FetchPolicy) -> str | None:
    """Where to go instead, or None when the body is to be read."""
    status, host = response.status, address.host
    if status in _REDIRECTS and response.getheader("Location"):
        return response.getheader("Location")
    if status in (404, 410):
        raise SourceAbsent(f"{host} says that there is no such picture ({status})")
    wait = _retry_after(response.getheader("Retry-After", ""))
    if status in policy.throttling_statuses or (status == 503 and wait is not None):
        raise SourceThrottled(f"{host} wants to be asked more slowly ({status})", retry_after_seconds=wait)
    if status >= 500:
        raise SourceUnavailable(f"{host} answers with a failure of its own ({status})", code="server_error")
    if not 200 <= status < 300:
        raise ResponseRefused(f"{host} answers with status {status}", code="unexpected_status")
    if response.getheader("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise ResponseRefused(f"{host} sends a compressed body, which was not asked for", code="encoded_body")
    if response.length is not None and response.length > policy.max_bytes:
        raise _too_large(host, policy)
    return None


def _read_body(response: http.client.HTTPResponse, address: ParsedAddress, policy: FetchPolicy) -> bytes:
    """Piece by piece, so that neither size nor slowness has to be believed."""
    content = bytearray()
    window_began, bytes_before = time.monotonic(), 0
    while True:
        piece = response.read1(_PIECE_BYTES)
        if not piece:
            break
        content += piece
        if len(content) > policy.max_bytes:
            raise _too_large(address.host, policy)
        now = time.monotonic()
        if now - window_began >= policy.min_rate_window_seconds:
            if len(content) - bytes_before < policy.min_bytes_per_second * (now - window_began):
                raise SourceUnavailable(f"{address.host} sends too slowly", code="too_slow")
            window_began, bytes_before = now, len(content)
    if response.length:
        raise ConnectionError("the body ended before its length")
    return bytes(content)


def _too_large(host: str, policy: FetchPolicy) -> ResponseRefused:
    return ResponseRefused(f"{host} sends more than {policy.max_bytes} bytes", code="too_large")


def _broken(connection: Connection, address: ParsedAddress, error: Exception) -> SourceUnavailable:
    if connection.is_cut_off or isinstance(error, TimeoutError):
        return SourceUnavailable(f"{address.host} did not answer in time", code="timeout")
    return SourceUnavailable(f"{address.host} broke the connection off", code="connection_broken")


def _left(deadline: float, address: ParsedAddress) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise SourceUnavailable(f"{address.host} did not answer in time", code="timeout")
    return left


def _retry_after(value: str) -> float | None:
    """Seconds of a Retry-After header, given as seconds or as a date; None for none, nonsense, or over a month."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        seconds = float(value)
    else:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, TypeError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return seconds if 0 <= seconds <= _MAX_RETRY_AFTER_SECONDS else None
