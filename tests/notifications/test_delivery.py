"""Delivery of notifications whose kind is unknown or registered by an app."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from notifications import kinds
from notifications.delivery import deliver_due
from notifications.models import Notification
from notifications.outbox import enqueue

pytestmark = pytest.mark.django_db


def test_a_registered_kind_is_delivered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    delivered: list[str] = []
    monkeypatch.setattr(kinds, "_kinds", {})
    kinds.register_kind("test", lambda notification, now: delivered.append(notification.key))
    now = timezone.now()
    enqueue("test", "one", {}, now=now)
    enqueue("test", "one", {}, now=now)
    assert (deliver_due(lambda: now), deliver_due(lambda: now + timedelta(days=1))) == (1, 0)
    assert delivered == ["one"]
    assert Notification.objects.get().status == "sent"


def test_an_unknown_kind_fails_without_a_retry() -> None:
    now = timezone.now()
    enqueue("unknown", "one", {}, now=now)
    assert deliver_due(lambda: now) == 0
    notification = Notification.objects.get()
    assert (notification.status, notification.last_error) == ("failed", "No app has registered the kind 'unknown'")


def test_a_worker_whose_lease_ended_does_not_overwrite_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    after_the_lease = now + timedelta(minutes=5)

    def slow(notification: Notification, at: datetime) -> None:
        if at == now:
            assert deliver_due(lambda: after_the_lease) == 1
            raise OSError("the connection was closed late")

    monkeypatch.setattr(kinds, "_kinds", {"test": slow})
    enqueue("test", "one", {}, now=now)
    assert deliver_due(lambda: now) == 0
    notification = Notification.objects.get()
    assert (notification.status, notification.attempts, notification.last_error) == ("sent", 2, "")
