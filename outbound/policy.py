"""What a caller decides about a fetch, and what it gets. The numbers are the catalogue's defaults for pictures."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class FetchPolicy:
    """`is_allowed_host` is asked for the first host and for that of each redirect, as `ParsedUrl.host` spells it.

    `total_seconds` bounds the whole fetch with all its redirects, name lookups included; the others one part each.
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
    """An answer in full. `content_type` is what the source claims; only the bytes decide."""

    url: str
    host: str
    content: bytes
    content_type: str
    status: int
    redirects: tuple[str, ...]  # the addresses that sent us on, in their order
    address: str  # the IP address that answered
