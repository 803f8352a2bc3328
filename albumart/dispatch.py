"""Select rows for the periodic tasks: due requests, and requests to check again."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from albumart.models import Artwork

log = logging.getLogger(__name__)


@transaction.atomic
def claim_due_for_dispatch(now: datetime) -> list[int]:
    """Mark due requests as dispatched and return their keys.

    At most ALBUMART_DISPATCH_BATCH_SIZE: requests wait in the table, so that the queue stays short.
    """
    due = Artwork.objects.due_for_dispatch(now, sent_before=now - timedelta(seconds=settings.ALBUMART_RESEND_SECONDS))
    pks = list(
        due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[
            : settings.ALBUMART_DISPATCH_BATCH_SIZE
        ]
    )
    Artwork.objects.filter(pk__in=pks).update(dispatched_at=now)
    return pks


@transaction.atomic
def recheck_not_found(now: datetime) -> int:
    """Request artwork again that was not found ALBUMART_RECHECK_DAYS ago. Return the number of requests."""
    not_found = Artwork.objects.not_found_before(now - timedelta(days=settings.ALBUMART_RECHECK_DAYS))
    pks = list(
        not_found.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[
            : settings.ALBUMART_RECHECKS_PER_HOUR
        ]
    )
    return (
        Artwork.objects.filter(pk__in=pks)
        .update(
            status=Artwork.Status.WAITING, attempts=0, next_attempt_at=now, dispatched_at=None, finished_at=None,
            wait_reason=f"Requested again {settings.ALBUMART_RECHECK_DAYS} days after it was not found", claim=None,
        )
    )  # fmt: skip


@transaction.atomic
def reject_requests_of_cancelled_runs(now: datetime) -> int:
    """Reject pending requests of cancelled runs. Their songs count as missing artwork again."""
    pks = list(Artwork.objects.of_cancelled_runs().values_list("pk", flat=True))
    rejected = Artwork.objects.waiting().filter(pk__in=pks).update(
        status=Artwork.Status.REFUSED, is_current=False, finished_at=now, wait_reason="", error_code="cancelled",
        error_message="The run was cancelled",
    )  # fmt: skip
    if rejected:
        log.info("requests of cancelled runs rejected", extra={"requests": rejected})
    return rejected
