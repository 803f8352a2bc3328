"""Deliver due notifications with a lease and retries."""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F

from common.errors import RegistryError
from common.leases import acquire_lease, release_lease
from common.retry import backoff_seconds, with_retry_after
from notifications.kinds import find_deliver
from notifications.models import Notification
from outbound import UrlNotAllowed

log = logging.getLogger(__name__)

_BATCH = 100
_MAX_RETRY_AFTER_SECONDS = 3600
_rng = random.SystemRandom()


def deliver_due(clock: Callable[[], datetime]) -> int:
    """Deliver up to 100 due notifications and return how many were sent.

    Each row is leased before delivery: if the worker dies, another delivers it after the lease ends.
    """
    sent = 0
    waiting = Notification.objects.filter(status=Notification.Status.WAITING)
    due = waiting.filter(next_attempt_at__lte=clock()).order_by("next_attempt_at", "pk")
    for notification in list(due[:_BATCH]):
        now = clock()
        token = acquire_lease(
            waiting.filter(pk=notification.pk, next_attempt_at__lte=now),
            now=now,
            seconds=settings.NOTIFICATIONS_LEASE_SECONDS,
            attempts=F("attempts") + 1,
        )
        if token:
            notification.attempts += 1
            sent += _deliver(notification, token, clock)
    return sent


def _deliver(notification: Notification, token: UUID, clock: Callable[[], datetime]) -> bool:
    now = clock()
    deliver = find_deliver(notification.kind)
    if deliver is None:
        reason = f"No app has registered the kind {notification.kind!r}"
        _record_error(notification, token, reason, is_final=True, next_attempt_at=now)
        return False
    try:
        deliver(notification, now)
    except (RegistryError, OSError) as error:
        _schedule_retry(notification, token, error, clock())
        return False
    return _release(notification, token, status=Notification.Status.SENT, sent_at=now, last_error="")


def _schedule_retry(notification: Notification, token: UUID, error: Exception, now: datetime) -> None:
    reason = error.message if isinstance(error, RegistryError) else type(error).__name__
    is_final = notification.attempts >= settings.NOTIFICATIONS_ATTEMPTS or isinstance(error, UrlNotAllowed)
    delay = with_retry_after(
        backoff_seconds(notification.attempts, base_seconds=settings.NOTIFICATIONS_RETRY_SECONDS, rng=_rng, jitter=0.2),
        getattr(error, "retry_after_seconds", None),
        max_seconds=_MAX_RETRY_AFTER_SECONDS,
    )
    _record_error(notification, token, reason, is_final=is_final, next_attempt_at=now + timedelta(seconds=delay))


def _record_error(
    notification: Notification, token: UUID, reason: str, *, is_final: bool, next_attempt_at: datetime
) -> None:
    status = Notification.Status.FAILED if is_final else Notification.Status.WAITING
    _release(notification, token, status=status, next_attempt_at=next_attempt_at, last_error=reason[:300])
    facts = {"notification": notification.pk, "attempt": notification.attempts, "is_final": is_final}
    log.warning("notification not sent", extra=facts)


def _release(notification: Notification, token: UUID, **changes: Any) -> bool:
    """Write the result. False if the lease ended meanwhile and another worker has the notification."""
    return release_lease(Notification.objects.filter(pk=notification.pk), token, **changes)
