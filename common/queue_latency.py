"""Age of the oldest task in the queue. Each message has the time it was sent in a header."""

import time
from typing import Any

import orjson
from celery import current_app
from celery.signals import before_task_publish
from django.conf import settings

from common.valkey import call_valkey

SENT_AT = "sent_at"


@before_task_publish.connect
def add_sent_at_header(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is not None:
        headers[SENT_AT] = time.time()


def queue_key(name: str) -> str:
    """Return the Redis key of a queue. The client adds the prefix only for some commands, not for LINDEX."""
    return settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("global_keyprefix", "") + name


def queue_latency_seconds(name: str = "celery") -> float:
    """Return the age, or 0 if the queue is empty or the age unknown. Raises RedisError or OperationalError of kombu."""
    with call_valkey(settings.CELERY_BROKER_URL), current_app.pool.acquire(block=True, timeout=1) as connection:
        message = connection.default_channel.client.lindex(queue_key(name), -1)  # new messages are added on the left
    if message is None:
        return 0.0
    sent_at = orjson.loads(message).get("headers", {}).get(SENT_AT)
    return max(time.time() - sent_at, 0.0) if sent_at else 0.0
