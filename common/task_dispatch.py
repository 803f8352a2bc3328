"""Send messages to workers about committed rows."""

import logging
from typing import Any

from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from common.valkey import CircuitOpen, call_valkey

log = logging.getLogger(__name__)


def dispatch_best_effort(task: Any, row_pk: int) -> None:
    """Send the key of a row. If the queue is unavailable, a scheduled task sends it later, so the request succeeds."""
    extra = {"task": task.name, "row": row_pk}
    try:
        with call_valkey(settings.CELERY_BROKER_URL):
            task.apply_async((row_pk,), retry=False)
    except CircuitOpen:
        log.info("queue unavailable, message left to the schedule", extra=extra)
    except (OperationalError, RedisError) as error:
        log.warning("queue unavailable, message left to the schedule", extra=extra | {"error": str(error)})
