"""The only way out of the house: every request to another host is made here, and checked here.

`fetch` and `post` take an address somebody else chose. `open_service_connection` reaches a service of our own that the
settings name.
"""

from common.outbound.addresses import check_url, host_matches, is_public
from common.outbound.connecting import open_service_connection
from common.outbound.errors import (
    AddressRefused,
    ResponseRefused,
    SourceAbsent,
    SourceThrottled,
    SourceUnavailable,
)
from common.outbound.fetching import Fetched, FetchPolicy, fetch, post

__all__ = [
    "AddressRefused", "FetchPolicy", "Fetched", "ResponseRefused", "SourceAbsent", "SourceThrottled",
    "SourceUnavailable", "check_url", "fetch", "host_matches", "is_public", "open_service_connection", "post",
]  # fmt: skip
