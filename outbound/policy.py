"""Policy and result of a fetch. The defaults suit album art."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class FetchPolicy:
    """Limits of a fetch. `is_allowed_host` is called with `ParsedUrl.host` of the first URL and of each redirect.

    `total_seconds` limits the whole fetch with redirects and name lookups; the other limits apply to one request.
    """

    is_allowed_host: Callable[[str], bool]
    max_bytes: int = 10 * 1024 * 1024
    max_redirects: int = 0
    connect_seconds: float = 2
    first_byte_seconds: float = 5
    total_seconds: float = 20
    min_bytes_per_second: int = 8 * 1024
    min_rate_window_seconds: float = 5
    accept: str = "image/jpeg, image/png, image/webp"
    throttling_statuses: frozenset[int] = frozenset({429})


@dataclass(frozen=True)
class FetchResult:
    """A complete response. `content_type` is the header of the server; do not trust it."""

    url: str
    host: str
    content: bytes
    content_type: str
    status: int
    redirects: tuple[str, ...]  # the redirecting URLs in order
    ip: str  # of the server that responded
