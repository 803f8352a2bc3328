"""Rate limits of sources, shared by all workers in Redis.

A moving window: no interval of 60 seconds has more requests than the limit. Without Redis no request is sent, because a
source may block a client that exceeds its limit.
"""

from functools import cache

from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from albumart.errors import Deferred
from albumart.models import ArtworkSource
from common.valkey import call_valkey

_NO_REDIS_RETRY_SECONDS = 15.0


@cache
def _limiter() -> MovingWindowRateLimiter:
    cache_settings = settings.CACHES["default"]
    # The library writes the URL of a Unix socket with another scheme.
    url = cache_settings["LOCATION"].replace("unix://", "redis+unix://", 1)
    key_prefix = f"{cache_settings['KEY_PREFIX']}-pace"
    return MovingWindowRateLimiter(RedisStorage(url, socket_connect_timeout=1, socket_timeout=1, key_prefix=key_prefix))


def acquire_slot(source: ArtworkSource, now_seconds: float) -> None:
    """Count one request of the source. Raises Deferred, with the time until the next one is allowed."""
    limit = RateLimitItemPerMinute(source.requests_per_minute)
    try:
        with call_valkey(settings.CACHES["default"]["LOCATION"]):
            if _limiter().hit(limit, "source", str(source.pk)):
                return
            reset_at, _ = _limiter().get_window_stats(limit, "source", str(source.pk))
    except RedisError as error:
        raise Deferred("Redis, which counts the requests, is unavailable", seconds=_NO_REDIS_RETRY_SECONDS) from error
    raise Deferred(
        f"{source.pattern} has reached its limit of {source.requests_per_minute} requests per minute",
        seconds=max(reset_at - now_seconds, 1.0),
    )
