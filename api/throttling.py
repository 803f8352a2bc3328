"""Rate limits by IP address and by email, against password guessing. Counted in the cache that all workers share."""

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

from common.valkey import CircuitOpen

log = logging.getLogger(__name__)

_local = LocMemCache("throttling", {"OPTIONS": {"MAX_ENTRIES": 10_000}})


def consume_rate_limit(scope: str, ident: str) -> int | None:
    """Count one request. Return None below the limit of `scope`, else the seconds until the next window.

    Each request is one atomic increment in a window of fixed length, so concurrent requests are all counted.
    Rates: REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"].
    """
    # parse_rate does not use its instance.
    allowed, window_seconds = SimpleRateThrottle.parse_rate(None, api_settings.DEFAULT_THROTTLE_RATES[scope])
    now = time.time()
    digest = hashlib.sha256(ident.encode("utf-8", "replace")).hexdigest()[:32]  # neither IP nor email in the cache
    count = _count(f"throttle:{scope}:{digest}:{int(now // window_seconds)}", window_seconds)
    return None if count <= allowed else max(1, int(window_seconds - now % window_seconds) + 1)


def _count(key: str, window_seconds: int) -> int:
    try:
        shared = caches["default"]
        shared.add(key, 0, window_seconds)
        return shared.incr(key)
    except CircuitOpen:  # logged when it opened
        pass
    except (RedisError, OSError, ValueError) as error:
        log.warning("shared cache unavailable, throttling in this process", extra={"error": str(error)})
    # During an outage of the cache each process counts its own requests, so that the limit still applies.
    _local.add(key, 0, window_seconds)
    return _local.incr(key)


def client_ip(request: Any) -> str:
    """Return the client IP. `X-Forwarded-For` is used only behind API_TRUSTED_PROXY_COUNT proxies."""
    return BaseThrottle().get_ident(request) or ""


class IpRateThrottle(BaseThrottle):
    """Limit requests per IP. `throttle_scope` of the view names the rate."""

    def allow_request(self, request: Request, view: Any) -> bool:
        self._wait = consume_rate_limit(view.throttle_scope, client_ip(request))
        return self._wait is None

    def wait(self) -> int | None:
        return self._wait


class IpAndEmailRateThrottle(IpRateThrottle):
    """Also limit requests per email from all IPs, which slows guessing of one password.

    The limit is higher than the one per IP, and requests above the limit of an IP do not count: one client cannot
    lock out a user.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        if not super().allow_request(request, view):
            return False
        email = request.data.get("email") if isinstance(request.data, dict) else None
        if isinstance(email, str):
            self._wait = consume_rate_limit(f"{view.throttle_scope}_email", email.strip().lower()[:254])
        return self._wait is None
