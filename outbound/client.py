"""Fetch from and post to other hosts. Every redirect target is checked like the first URL."""

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

MAX_POST_RESPONSE_BYTES = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_RESERVED_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "user-agent", "cookie", "expect"}
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Request:
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def to(self, url: ParsedUrl) -> bytes:
        """Return the bytes of the request. It has no cookies, referrer or credentials."""
        lines = [("Host", url.authority), *self.headers]
        if self.method == "POST":
            lines.append(("Content-Length", str(len(self.body))))
        head = f"{self.method} {url.target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
        return head.encode("ascii") + b"\r\n" + self.body


def check_url(url: str) -> ParsedUrl:
    """Parse and check a URL without network access. Raises UrlNotAllowed.

    Call it before queueing a request. The IP addresses of the host are checked when the URL is fetched.
    """
    with _logged_rejections():
        return parse_url(url, _rules())


def fetch(url: str, policy: FetchPolicy) -> FetchResult:
    """Fetch a URL and return the response if its status is 2xx.

    Raises UrlNotAllowed, ResponseRejected, RemoteNotFound, RemoteRateLimited, RemoteUnavailable.
    """
    with _logged_rejections():
        return _follow(url, _request("GET", {"Accept": policy.accept}), policy)


def post(url: str, body: bytes, headers: Mapping[str, str], policy: FetchPolicy) -> FetchResult:
    """Post `body` without following redirects. The response is limited to MAX_POST_RESPONSE_BYTES.

    Raises the errors of `fetch`, and ValueError for reserved headers and for headers with line breaks.
    """
    small = replace(policy, max_redirects=0, max_bytes=min(policy.max_bytes, MAX_POST_RESPONSE_BYTES))
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
        log.warning("outbound URL rejected", extra={"host": error.host, "code": error.code})
        raise


def _request(method: str, headers: dict[str, str], body: bytes = b"") -> _Request:
    own = {"User-Agent": settings.OUTBOUND_USER_AGENT, "Accept-Encoding": "identity", "Connection": "close"}
    if reserved := [name for name in headers if name.lower() in _RESERVED_HEADERS]:
        raise ValueError(f"the client sets these headers itself: {reserved}")
    for name, value in (own | headers).items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"header {name!r} is not valid")
    return _Request(method, tuple((own | headers).items()), body)


def _follow(url: str, request: _Request, policy: FetchPolicy) -> FetchResult:
    rules = _rules()
    deadline = Deadline.after(policy.total_seconds)
    current = parse_url(url, rules)
    passed: tuple[str, ...] = ()
    while True:
        result = _request_once(current, request, policy, rules, deadline)
        if isinstance(result, FetchResult):
            return replace(result, redirects=passed)
        if len(passed) >= policy.max_redirects:
            code = "too_many_redirects" if policy.max_redirects else "redirect_refused"
            raise UrlNotAllowed(f"{current.host} redirects to another URL.", code, host=current.host)
        passed += (current.url,)
        current = _redirect_target(current, result, rules)


def _request_once(
    url: ParsedUrl, request: _Request, policy: FetchPolicy, rules: UrlRules, deadline: Deadline
) -> FetchResult | str:
    """Send one request. Return the response, or the Location of a redirect."""
    if not policy.is_allowed_host(url.host):
        raise UrlNotAllowed(f"{url.host} is not an allowed host.", "host_not_allowed", host=url.host)
    checked_ips = resolve(url, rules, deadline.within(policy.connect_seconds))
    until_connected = deadline.within(policy.connect_seconds)
    with (
        connection(url, checked_ips, until_connected, ca_bundle=settings.OUTBOUND_CA_BUNDLE) as (connected, ip),
        exchange(connected, url.host, request.to(url), deadline.within(policy.first_byte_seconds)) as response,
    ):
        if response.status in _REDIRECTS:
            return response.header("Location")
        _reject_status(response, policy)
        pace = MinThroughput(policy.min_bytes_per_second, policy.min_rate_window_seconds)
        return FetchResult(
            url=url.url,
            host=url.host,
            content=response.read_body(deadline=deadline, pace=pace, max_bytes=policy.max_bytes),
            content_type=response.header("Content-Type").partition(";")[0].strip().lower(),
            status=response.status,
            redirects=(),
            ip=str(ip),
        )


def _reject_status(response: RawResponse, policy: FetchPolicy) -> None:
    status, host = response.status, response.host
    if status in (404, 410):
        raise RemoteNotFound(f"{host} has nothing at this address.", host=host)
    if status in policy.throttling_statuses or (status == 503 and response.header("Retry-After")):
        delay = parse_retry_after(response.header("Retry-After"), timezone.now())
        raise RemoteRateLimited(f"{host} limits the request rate.", host=host, retry_after_seconds=delay)
    if status >= 500:
        raise RemoteUnavailable(f"{host} answered with status {status}.", "server_error", host=host)
    # 206 is rejected, because no range was requested.
    if not 200 <= status < 300 or status == 206:
        raise ResponseRejected(f"{host} answered with status {status}.", "unexpected_status", host=host)


def _redirect_target(current: ParsedUrl, location: str, rules: UrlRules) -> ParsedUrl:
    try:
        # http.client decodes headers as Latin-1, but servers send UTF-8.
        decoded = location.encode("latin-1").decode()
        target = urljoin(current.url, decoded) if decoded and is_visible(decoded) else ""
        is_downgrade = current.scheme == "https" and urlsplit(target).scheme == "http"
    except ValueError:
        target, is_downgrade = "", False
    if not target or is_downgrade:
        raise UrlNotAllowed(f"{current.host} redirects to a disallowed URL.", "redirect_refused", host=current.host)
    return parse_url(target, rules)
