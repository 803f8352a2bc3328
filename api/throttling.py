"""Limits on guessing: by the caller's address and by the e-mail tried. Counted in the cache all workers share."""

import hashlib
import logging
import time
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

log = logging.getLogger(__name__)

_alone = LocMemCache("throttling", {"OPTIONS": {"MAX_ENTRIES": 10_000}})


def consume_rate_limit(scope: str, ident: str) -> int | None:
    """Count one try; None while the budget of `scope` lasts, else the seconds until it is fresh again.

    Tries are counted by one atomic increment in windows of fixed length, so a hundred at the same moment
    are a hundred. Rates: REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"].
    """
    # The parser of rates uses nothing of its instance.
    allowed, window_seconds = SimpleRateThrottle.parse_rate(None, api_settings.DEFAULT_THROTTLE_RATES[scope])
    now = time.time()
    digest = hashlib.sha256(ident.encode("utf-8", "replace")).hexdigest()[:32]  # no address, no e-mail in the cache
    count = _count(f"throttle:{scope}:{digest}:{int(now // window_seconds)}", window_seconds)
    return None if count <= allowed else max(1, int(window_seconds - now % window_seconds) + 1)


def _count(key: str, window_seconds: int) -> int:
    try:
        shared = caches["default"]
        shared.add(key, 0, window_seconds)
        return shared.incr(key)
    except (RedisError, OSError, ValueError) as error:
        # An outage opens no door: this process counts alone until the shared cache answers again.
        log.warning("shared cache does not answer; throttling in this process", extra={"error": str(error)})
        _alone.add(key, 0, window_seconds)
        return _alone.incr(key)


def client_ip(request: Any) -> str:
    """The address a request came from; `X-Forwarded-For` counts only behind API_TRUSTED_PROXY_COUNT proxies."""
    return BaseThrottle().get_ident(request) or ""


class IpRateThrottle(BaseThrottle):
    """`throttle_scope` of the view names the rate; one budget for each address."""

    def allow_request(self, request: Request, view: Any) -> bool:
        self._wait = consume_rate_limit(view.throttle_scope, client_ip(request))
        return self._wait is None

    def wait(self) -> int | None:
        return self._wait


class IpAndEmailRateThrottle(IpRateThrottle):
    """Also one budget for each e-mail tried, from whatever addresses: it slows guessing of one password.

    Wider than an address's, and what an address asks beyond its own does not count: one machine locks nobody out.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        if not super().allow_request(request, view):
            return False
        email = request.data.get("email") if isinstance(request.data, dict) else None
        if isinstance(email, str):
            self._wait = consume_rate_limit(f"{view.throttle_scope}_email", email.strip().lower()[:254])
        return self._wait is None
