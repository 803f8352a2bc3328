"""Questions about runs and what they left."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q

from backfills import states
from backfills.engine.transitions import lease_expired_q

_LONGEST_WAIT = timedelta(hours=1)  # later than that only a clock that ran ahead has set


class BackfillRunQuerySet(models.QuerySet["BackfillRun"]):
    def for_rule(self, rule_name: str) -> Self:
        return self.filter(rule_name=rule_name)

    def with_applied_changes(self) -> Self:
        """They wrote something that is not undone."""
        return self.filter(changed_rows__gt=0).exclude(state="undone")

    def active(self) -> Self:
        return self.filter(state__in=states.ACTIVE)

    def stalled(self, now: datetime) -> Self:
        """Something is to be done, nobody holds them, and the moment they asked to be looked at has passed."""
        due = Q(next_check_at=None) | Q(next_check_at__lt=now) | Q(next_check_at__gt=now + _LONGEST_WAIT)
        return self.active().filter(lease_expired_q(now)).filter(due)

    def unplanned(self, since: datetime) -> Self:
        """Their plan was asked for and has not come."""
        return self.filter(state=states.PLANNED, planned_at=None, error="", created_at__lt=since)


class BackfillChangeQuerySet(models.QuerySet["BackfillChange"]):
    def conflicts(self) -> Self:
        """What the undoing left alone: a person changed the value since, or the row is gone."""
        return self.filter(outcome__in=["conflict", "gone"])


class BackfillRowErrorQuerySet(models.QuerySet["BackfillRowError"]):
    def open(self) -> Self:
        return self.filter(resolved_at=None)


class BackfillBatchQuerySet(models.QuerySet["BackfillBatch"]):
    def recent(self, now: datetime, span: timedelta) -> Self:
        return self.filter(finished_at__gt=now - span)
