"""The only way in which the registry talks to hosts that are not its own.

Its services (database, cache, file storage) are reached by their clients, others of its own by
`open_service_connection`. `tests/architecture/test_outbound.py` keeps it so.
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
