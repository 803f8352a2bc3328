"""Questions about requests for pictures and their sources."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

OPEN = ("waiting", "running")
ENDED = ("stored", "refused", "absent", "failed")


class ArtworkSourceQuerySet(models.QuerySet["ArtworkSource"]):
    def enabled(self) -> Self:
        return self.filter(is_enabled=True)


class ArtworkQuerySet(models.QuerySet["Artwork"]):
    def current(self) -> Self:
        """The one of each asset that clients are shown."""
        return self.filter(is_current=True)

    def open(self) -> Self:
        """Waiting or being worked on."""
        return self.filter(status__in=OPEN)

    def ended(self) -> Self:
        return self.filter(status__in=ENDED)

    def waiting(self) -> Self:
        return self.filter(status="waiting")

    def may_run(self) -> Self:
        """Waiting, and not held back with its run."""
        return self.waiting().filter(Q(run=None) | Q(run__paused_at=None))

    def to_send(self, now: datetime, *, sent_before: datetime) -> Self:
        """Due, and either never sent to the queue since it became due, or sent so long ago that the message is lost."""
        return (
            self.may_run()
            .filter(Q(next_attempt_at__lte=now), Q(sent_at=None) | Q(sent_at__lt=sent_before))
            .order_by("next_attempt_at", "pk")
        )

    def abandoned(self, claimed_before: datetime) -> Self:
        """Being worked on for longer than any worker lives with one."""
        return self.filter(status="running", claimed_at__lt=claimed_before)

    def absent_since(self, moment: datetime) -> Self:
        return self.current().filter(status="absent", finished_at__lt=moment).order_by("finished_at")

    def with_wait(self) -> Self:
        """Each with `run_paused_at`, which is one reason to wait."""
        return self.annotate(run_paused_at=F("run__paused_at"))
