"""Querysets of runs and row errors."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q

from jobs import states
from jobs.transitions import lease_expired_q

_MAX_WAIT = timedelta(hours=1)  # a later check was scheduled by a machine whose time was wrong


class RunQuerySet(models.QuerySet[Any]):
    def with_applied_changes(self) -> Self:
        """Runs that wrote values which are not undone."""
        return self.filter(changed_rows__gt=0).exclude(state=states.UNDONE)

    def active(self) -> Self:
        return self.filter(state__in=states.ACTIVE)

    def stalled(self, now: datetime) -> Self:
        """Active runs without a lease whose next check is due."""
        due = Q(next_check_at=None) | Q(next_check_at__lt=now) | Q(next_check_at__gt=now + _MAX_WAIT)
        return self.active().filter(lease_expired_q(now)).filter(due)

    def unplanned(self, now: datetime, *, since: datetime) -> Self:
        """Runs created before `since` whose plan was never made, and which no worker plans now."""
        unplanned = self.filter(state=states.PLANNED, planned_at=None, error="", created_at__lt=since)
        return unplanned.filter(lease_expired_q(now))

    def to_start(self) -> Self:
        return self.filter(state=states.PLANNED).exclude(start_requested_at=None)

    def unstarted(self, now: datetime, *, since: datetime) -> Self:
        """Runs whose start was requested before `since`, and which no worker starts now."""
        return self.to_start().filter(lease_expired_q(now), start_requested_at__lt=since)


class ChangeQuerySet(models.QuerySet[Any]):
    def conflicts(self) -> Self:
        """Values that an undo did not restore: changed since by a user, or the row is gone."""
        return self.filter(outcome__in=["conflict", "gone"])


class RowErrorQuerySet(models.QuerySet[Any]):
    def unresolved(self) -> Self:
        return self.filter(resolved_at=None)
