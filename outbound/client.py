"""Fetching from and posting to hosts that are not ours; every hop is checked as if it were the first."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.utils import timezone

from outbound.deadlines import Deadline
from outbound.dns import resolve
from outbound.errors import RemoteNotFound, RemoteRateLimited, RemoteUnavailable, ResponseRejected, UrlNotAllowed
from outbound.http_exchange import MinThroughput, RawResponse, exchange
from outbound.policy import FetchPolicy, FetchResult
from outbound.retry_after import parse_retry_after
from outbound.sockets import connection
from outbound.urls import ParsedUrl, UrlRules, is_visible, parse_url

MAX_POST_ANSWER_BYTES = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_OUR_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "user-agent", "cookie", "expect"}
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Request:
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def to(self, address: ParsedUrl) -> bytes:
        """Nothing in it tells of us but the fixed name: no cookie, no referrer, no credentials."""
        lines = [("Host", address.authority), *self.headers]
        if self.method == "POST":
            lines.append(("Content-Length", str(len(self.body))))
        head = f"{self.method} {address.target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
        return head.encode("ascii") + b"\r\n" + self.body


def check_url(url: str) -> ParsedUrl:
    """Whether we would ask this address, as far as its text tells; for a door, before anything is queued.

    The host's IP addresses are looked at when it is fetched. Raises UrlNotAllowed.
    """
    with _logged_rejections():
        return parse_url(url, _rules())


def fetch(url: str, policy: FetchPolicy) -> FetchResult:
    """All bytes of an answer with a status of 2xx.

    Raises UrlNotAllowed, ResponseRejected, RemoteNotFound, RemoteRateLimited, RemoteUnavailable.
    """
    with _logged_rejections():
        return _follow(url, _request("GET", {"Accept": policy.accept}), policy)


def post(url: str, body: bytes, headers: Mapping[str, str], policy: FetchPolicy) -> FetchResult:
    """Send `body`; the answer may be small only, and no redirect is followed. Raises as `fetch` does.

    ValueError for headers which are ours to set, or which would end the line they stand on.
    """
    small = replace(policy, max_redirects=0, max_bytes=min(policy.max_bytes, MAX_POST_ANSWER_BYTES))
    request = _request("POST", {"Accept": policy.accept} | dict(headers), body)
    with _logged_rejections():
        return _follow(url, request, small)


def _rules() -> UrlRules:
    return UrlRules(
        allows_http=settings.OUTBOUND_ALLOW_HTTP,
        allows_loopback=settings.OUTBOUND_ALLOW_LOOPBACK,
        allowed_ports=frozenset(settings.OUTBOUND_ALLOWED_PORTS),
    )


@contextmanager
def _logged_rejections() -> Iterator[None]:
    try:
        yield
    except UrlNotAllowed as error:
        log.warning("outbound address refused", extra={"host": error.host, "code": error.code})
        raise


def _request(method: str, headers: dict[str, str], body: bytes = b"") -> _Request:
    ours = {"User-Agent": settings.OUTBOUND_USER_AGENT, "Accept-Encoding": "identity", "Connection": "close"}
    if taken := [name for name in headers if name.lower() in _OUR_HEADERS]:
        raise ValueError(f"set by the registry itself: {taken}")
    for name, value in (ours | headers).items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"not a header that can be sent: {name!r}")
    return _Request(method, tuple((ours | headers).items()), body)


def _follow(url: str, request: _Request, policy: FetchPolicy) -> FetchResult:
    rules = _rules()
    deadline = Deadline.after(policy.total_seconds)
    address = parse_url(url, rules)
    passed: tuple[str, ...] = ()
    while True:
        outcome = _ask(address, request, policy, rules, deadline)
        if isinstance(outcome, FetchResult):
            return replace(outcome, redirects=passed)
        if len(passed) >= policy.max_redirects:
            code = "too_many_redirects" if policy.max_redirects else "redirect_refused"
            raise UrlNotAllowed(f"{address.host} sends us on to another address.", code, host=address.host)
        passed += (address.url,)
        address = _next_address(address, outcome, rules)


def _ask(
    address: ParsedUrl, request: _Request, policy: FetchPolicy, rules: UrlRules, deadline: Deadline
) -> FetchResult | str:
    """One hop: what was fetched, or the Location we are sent to."""
    if not policy.is_allowed_host(address.host):
        raise UrlNotAllowed(f"{address.host} is not a host we talk to.", "host_not_allowed", host=address.host)
    checked = resolve(address, rules, deadline.within(policy.connect_seconds))
    until_connected = deadline.within(policy.connect_seconds)
    with (
        connection(address, checked, until_connected, ca_bundle=settings.OUTBOUND_CA_BUNDLE) as (connected, ip),
        exchange(connected, address.host, request.to(address), deadline.within(policy.first_byte_seconds)) as answer,
    ):
        if answer.status in _REDIRECTS:
            return answer.header("Location")
        _refuse_status(answer, policy)
        pace = MinThroughput(policy.min_bytes_per_second, policy.min_rate_window_seconds)
        return FetchResult(
            url=address.url,
            host=address.host,
            content=answer.read_body(deadline=deadline, pace=pace, max_bytes=policy.max_bytes),
            content_type=answer.header("Content-Type").partition(";")[0].strip().lower(),
            status=answer.status,
            redirects=(),
            address=str(ip),
        )


def _refuse_status(answer: RawResponse, policy: FetchPolicy) -> None:
    status, host = answer.status, answer.host
    if status in (404, 410):
        raise RemoteNotFound(f"{host} has nothing at this address.", host=host)
    if status in policy.throttling_statuses or (status == 503 and answer.header("Retry-After")):
        delay = parse_retry_after(answer.header("Retry-After"), timezone.now())
        raise RemoteRateLimited(f"{host} asks us to come back later.", host=host, retry_after_seconds=delay)
    if status >= 500:
        raise RemoteUnavailable(f"{host} answered with status {status}.", "server_error", host=host)
    # 206: we asked for no part.
    if not 200 <= status < 300 or status == 206:
        raise ResponseRejected(f"{host} answered with status {status}.", "unexpected_status", host=host)


def _next_address(current: ParsedUrl, location: str, rules: UrlRules) -> ParsedUrl:
    try:
        # http.client reads headers as Latin-1; what sources mean is UTF-8.
        meant = location.encode("latin-1").decode()
        target = urljoin(current.url, meant) if meant and is_visible(meant) else ""
        is_downgrade = current.scheme == "https" and urlsplit(target).scheme == "http"
    except ValueError:
        target, is_downgrade = "", False
    if not target or is_downgrade:
        raise UrlNotAllowed(f"{current.host} sends us to no safe address.", "redirect_refused", host=current.host)
    return parse_url(target, rules)
