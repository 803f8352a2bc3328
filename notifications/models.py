"""The outbox: one row for each webhook or mail to deliver."""

from typing import Any

from django.db import models
from django.db.models import Q

from common.leases import Lease


class Notification(Lease):
    """One message to deliver. `key` identifies its subject: a second row with the same key is not stored."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=10)
    key = models.CharField(max_length=200, unique=True)
    body: Any = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    written_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "bugreports_notification"  # the table was created by bugreports; rows stay where they are
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="bugreports_notice_due", condition=Q(status="waiting"))
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "sent", "failed"]), name="bugreports_notice_status_known"
            )
        ]

    def __str__(self) -> str:
        return self.key
