"""HTTP client for other hosts. No other package opens connections to them (`tests/architecture/test_outbound.py`).

Database, cache and file storage use their own clients; `open_service_connection` connects to other own services.
"""

from outbound.client import check_url, fetch, post
from outbound.errors import RemoteNotFound, RemoteRateLimited, RemoteUnavailable, ResponseRejected, UrlNotAllowed
from outbound.policy import FetchPolicy, FetchResult
from outbound.sockets import open_service_connection
from outbound.urls import ParsedUrl, host_matches

__all__ = [
    "FetchPolicy",
    "FetchResult",
    "ParsedUrl",
    "RemoteNotFound",
    "RemoteRateLimited",
    "RemoteUnavailable",
    "ResponseRejected",
    "UrlNotAllowed",
    "check_url",
    "fetch",
    "host_matches",
    "open_service_connection",
    "post",
]
