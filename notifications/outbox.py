"""Store notifications in the transaction of the change they report."""

from datetime import datetime, timedelta
from typing import Any

from notifications.models import Notification

_KEEP_DAYS = 30


def enqueue(kind: str, key: str, body: dict[str, Any], *, now: datetime) -> None:
    """Store a notification unless one with this key exists."""
    row = Notification(kind=kind, key=key, body=body, written_at=now, next_attempt_at=now)
    Notification.objects.bulk_create([row], ignore_conflicts=True)


def delete_old_notifications(now: datetime) -> int:
    """Delete notifications that were sent or failed and are older than 30 days. Return their number."""
    old = Notification.objects.exclude(status=Notification.Status.WAITING)
    return old.filter(written_at__lt=now - timedelta(days=_KEEP_DAYS)).delete()[0]
