"""Questions about requests for pictures and their sources."""

from datetime import datetime
from typing import Self

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

OPEN = ("waiting", "running")
ENDED = ("stored", "refused", "absent", "failed")


class ArtworkSourceQuerySet(models.QuerySet["ArtworkSource"]):
    def enabled(self) -> Self:
        return self.filter(is_enabled=True)


class ArtworkQuerySet(models.QuerySet["Artwork"]):
    def current(self) -> Self:
        """The one of each asset that clients are shown."""
        return self.filter(is_current=True)

    def manual(self) -> Self:
        """Uploaded, or asked for by staff: what automation leaves alone."""
        return self.filter(Q(source_name="Manual") | Q(trigger="staff"))

    def open(self) -> Self:
        """Waiting or being worked on."""
        return self.filter(status__in=OPEN)

    def ended(self) -> Self:
        return self.filter(status__in=ENDED)

    def waiting(self) -> Self:
        return self.filter(status="waiting")

    def runnable(self) -> Self:
        """Waiting, and not held back with its run.

        No join: an UPDATE over a join would read the status in a subquery, before it waits for another's lock, and two
        workers would both find the row waiting.
        """
        paused = apps.get_model("albumart", "ArtworkRun").objects.filter(pk=OuterRef("run"), paused_at__isnull=False)
        return self.waiting().filter(~Exists(paused))

    def due_for_dispatch(self, now: datetime, *, sent_before: datetime) -> Self:
        """Due, and either never sent to the queue since it became due, or sent so long ago that the message is lost."""
        return (
            self.runnable()
            .filter(Q(next_attempt_at__lte=now), Q(dispatched_at=None) | Q(dispatched_at__lt=sent_before))
            .order_by("next_attempt_at", "pk")
        )

    def stale(self, claimed_before: datetime) -> Self:
        """Being worked on for longer than any worker lives with one."""
        return self.filter(status="running", claimed_at__lt=claimed_before)

    def not_found_before(self, timestamp: datetime) -> Self:
        """By the word of their source, not of staff; and nothing else is under way for the asset."""
        others = self.model.objects.open().filter(asset=OuterRef("asset"))
        said_so = self.current().filter(status="absent", finished_at__lt=timestamp).exclude(error_code="marked_absent")
        return said_so.filter(~Exists(others)).order_by("finished_at")
