"""How long the oldest task has been waiting in the queue: each message carries the moment it was sent."""

import time
from typing import Any

import orjson
from celery import current_app
from celery.signals import before_task_publish
from django.conf import settings

SENT_AT = "sent_at"


@before_task_publish.connect
def add_sent_at_header(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is not None:
        headers[SENT_AT] = time.time()


def queue_key(name: str) -> str:
    """Where the queue is kept. The client puts the prefix before the keys of some commands only, not of these."""
    return settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("global_keyprefix", "") + name


def queue_latency_seconds(name: str = "celery") -> float:
    """0 for an empty queue, or a message of an unknown age. Raises RedisError or kombu's OperationalError."""
    with current_app.pool.acquire(block=True, timeout=1) as connection:
        message = connection.default_channel.client.lindex(queue_key(name), -1)  # new ones are put in on the left
    if message is None:
        return 0.0
    sent_at = orjson.loads(message).get("headers", {}).get(SENT_AT)
    return max(time.time() - sent_at, 0.0) if sent_at else 0.0
