"""Querysets of artwork requests and their sources."""

from datetime import datetime
from typing import Self

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

from jobs import states

OPEN = ("waiting", "running")
ENDED = ("stored", "refused", "absent", "failed")
# States in which a run must not fetch: it is paused, or its open requests are about to be rejected.
_HOLDING_STATES = (states.PAUSING, states.PAUSED, states.CANCELLING, states.CANCELLED, states.UNDOING)


class ArtworkSourceQuerySet(models.QuerySet["ArtworkSource"]):
    def enabled(self) -> Self:
        return self.filter(is_enabled=True)


class ArtworkQuerySet(models.QuerySet["Artwork"]):
    def current(self) -> Self:
        """The request of each asset that clients see."""
        return self.filter(is_current=True)

    def manual(self) -> Self:
        """Uploaded or requested by staff: a run must not replace them."""
        return self.filter(Q(source_name="Manual") | Q(trigger="staff"))

    def open(self) -> Self:
        return self.filter(status__in=OPEN)

    def ended(self) -> Self:
        return self.filter(status__in=ENDED)

    def waiting(self) -> Self:
        return self.filter(status="waiting")

    def processing(self) -> Self:
        return self.filter(status="running")

    def runnable(self) -> Self:
        """Pending, and not held by a run.

        A subquery, not a join: an UPDATE over a join reads the status before it waits for the row lock, so that two
        workers would both see a pending row.
        """
        cohorts = apps.get_model("albumart", "ArtworkCohort").objects
        held = cohorts.filter(pk=OuterRef("cohort"), run__state__in=_HOLDING_STATES)
        return self.waiting().filter(~Exists(held))

    def due_for_dispatch(self, now: datetime, *, sent_before: datetime) -> Self:
        """Due, and not dispatched since, or dispatched before `sent_before`: that task is lost."""
        return (
            self.runnable()
            .filter(Q(next_attempt_at__lte=now), Q(dispatched_at=None) | Q(dispatched_at__lt=sent_before))
            .order_by("next_attempt_at", "pk")
        )

    def of_cancelled_runs(self) -> Self:
        return self.waiting().filter(cohort__run__state=states.CANCELLED)

    def not_found_before(self, timestamp: datetime) -> Self:
        """Not found by the source, not marked by staff, and without another open request for the asset."""
        others = self.model.objects.open().filter(asset=OuterRef("asset"))
        not_found = (
            self.current().filter(status="absent", finished_at__lt=timestamp).exclude(error_code="marked_absent")
        )
        return not_found.filter(~Exists(others)).order_by("finished_at")
