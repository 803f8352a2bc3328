"""Named filters of reports."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from bugreports.statuses import CLOSED, IN_PROGRESS, OPEN

if TYPE_CHECKING:
    from accounts.models import User

ACTIVE = (OPEN, IN_PROGRESS)


class BugReportQuerySet(models.QuerySet["BugReport"]):
    def active(self) -> Self:
        """Open or in progress."""
        return self.filter(status__in=ACTIVE)

    def closed(self) -> Self:
        return self.filter(status__in=CLOSED)

    def untriaged(self) -> Self:
        """Open and never triaged."""
        return self.filter(status=OPEN, triaged_at=None)

    def assigned_to(self, user: "User") -> Self:
        return self.active().filter(assignee=user.pk)

    def regressed(self) -> Self:
        """Reopened by a new report after it was resolved."""
        return self.active().filter(regressed_at__isnull=False)

    def with_context_due_before(self, cutoff: datetime) -> Self:
        """Active, not retained, and about to lose logs, requests, state and screenshot."""
        return self.active().filter(retain=False, context_expired_at=None, submitted_at__lt=cutoff)

    def expired_but_active(self) -> Self:
        return self.active().filter(context_expired_at__isnull=False)

    def past(self, cutoff: datetime) -> Self:
        """Submitted before `cutoff`, oldest first, as the purge deletes them."""
        return self.filter(submitted_at__lt=cutoff).order_by("submitted_at", "pk")

    def matching(self, text: str) -> Self:
        """Match `text` in the description, at the start of an id, trace id or fingerprint, or as the submitter.

        Each condition has its own index, because one condition without an index would cause a table scan.
        """
        return self.filter(
            Q(description__icontains=text)
            | Q(report_id__startswith=text)
            | Q(trace_id__startswith=text)
            | Q(submitted_by=text.lower())
            | Q(fingerprint__startswith=text)
        )
