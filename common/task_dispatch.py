"""Send messages to workers about committed rows; repeat tasks that an outage of the database ended."""

import logging
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as QueueError
from redis.exceptions import RedisError

from common.valkey import CircuitOpen, call_valkey

log = logging.getLogger(__name__)

# Options of tasks that the schedule runs once an hour or a day. It repeats other tasks within a minute.
RETRY_AFTER_OUTAGE: dict[str, Any] = {
    "autoretry_for": (OperationalError, InterfaceError),
    "retry_backoff": 15,  # seconds, doubled each time
    "retry_backoff_max": 600,
    "max_retries": 10,  # about an hour
}


def dispatch_best_effort(task: Any, row_pk: int) -> None:
    """Send the key of a row. If the queue is unavailable, a scheduled task sends it later, so the request succeeds."""
    extra = {"task": task.name, "row": row_pk}
    try:
        with call_valkey(settings.CELERY_BROKER_URL):
            task.apply_async((row_pk,), retry=False)
    except CircuitOpen:
        log.info("queue unavailable, message left to the schedule", extra=extra)
    except (QueueError, RedisError) as error:
        log.warning("queue unavailable, message left to the schedule", extra=extra | {"error": str(error)})
