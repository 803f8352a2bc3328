"""Limits on guessing: by the caller's address and by the e-mail tried. Counted in the cache all workers share."""

import logging
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle

log = logging.getLogger(__name__)


class FallbackCache:
    """The shared cache; where it does not answer, this process counts alone, so that an outage opens no door."""

    def __init__(self) -> None:
        self._alone = LocMemCache("throttling", {})

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return caches["default"].get(key, default)
        except (RedisError, OSError) as error:
            log.warning("shared cache does not answer; throttling in this process", extra={"error": str(error)})
            return self._alone.get(key, default)

    def set(self, key: str, value: Any, timeout: float | None = None) -> None:
        try:
            caches["default"].set(key, value, timeout)
        except (RedisError, OSError):
            self._alone.set(key, value, timeout)


class AddressThrottle(ScopedRateThrottle):
    """`throttle_scope` of the view names the rate; one budget for each address."""

    cache = FallbackCache()  # type: ignore[assignment]

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"throttle:{self.scope}:address:{self.get_ident(request)}"


class EmailThrottle(AddressThrottle):
    """One budget for each e-mail tried, from whatever addresses: it slows guessing of one password."""

    def get_cache_key(self, request: Request, view: Any) -> str | None:  # type: ignore[override]
        email = request.data.get("email") if isinstance(request.data, dict) else None
        if not isinstance(email, str):
            return None
        return f"throttle:{self.scope}:email:{email.strip().lower()[:254].encode('utf-8', 'replace').hex()}"
