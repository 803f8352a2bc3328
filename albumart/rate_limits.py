"""How fast a source enabled: one budget for all workers together, kept in Redis.

A moving window: whatever minute one looks at, no more requests than the source's pace. Without Redis nothing is
asked: to wait is better than to be shut out by a source.
"""

from functools import cache

from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from albumart.errors import Deferred
from albumart.models import ArtworkSource

_NO_REDIS_SECONDS = 15.0


@cache
def _limiter() -> MovingWindowRateLimiter:
    cache_settings = settings.CACHES["default"]
    # A socket's address has three slashes for this library.
    address = cache_settings["LOCATION"].replace("unix://", "redis+unix://", 1)
    return MovingWindowRateLimiter(
        RedisStorage(
            address, socket_connect_timeout=1, socket_timeout=1, key_prefix=f"{cache_settings['KEY_PREFIX']}-pace"
        )
    )


def acquire_slot(source: ArtworkSource, now_seconds: float) -> None:
    """Spend one request of the source's budget. Raises Deferred with the time until the next one is free."""
    limit = RateLimitItemPerMinute(source.requests_per_minute)
    try:
        if _limiter().hit(limit, "source", str(source.pk)):
            return
        reset_at, _ = _limiter().get_window_stats(limit, "source", str(source.pk))
    except RedisError as error:
        raise Deferred("The counter of requests (Redis) does not answer", seconds=_NO_REDIS_SECONDS) from error
    raise Deferred(
        f"{source.pattern} is asked at most {source.requests_per_minute} times a minute",
        seconds=max(reset_at - now_seconds, 1.0),
    )
