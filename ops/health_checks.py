"""Health checks of the database and the cache."""

import logging

from django.core.cache import cache
from django.db import Error, connection
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


def check_database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        log.warning("health: the database does not respond", extra={"error": str(error).strip()[:200]})
        return False
    return True


def check_cache() -> bool:
    try:
        cache.get("health")
    except (RedisError, OSError):
        log.warning("health: the cache does not respond")
        return False
    return True
