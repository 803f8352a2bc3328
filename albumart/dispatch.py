"""What the clock does for requests: send what is due, look again at what was absent."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from albumart.models import Artwork


@transaction.atomic
def claim_due_for_dispatch(now: datetime) -> list[int]:
    """Keys of requests to be sent to the queue now, marked as sent. Bounded: rows wait here, not in the queue."""
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
    """A source that had no picture is asked again after some days, so many an hour. Returns how many are."""
    long_absent = Artwork.objects.not_found_before(now - timedelta(days=settings.ALBUMART_RECHECK_DAYS))
    pks = list(
        long_absent.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[
            : settings.ALBUMART_RECHECKS_PER_HOUR
        ]
    )
    return (
        Artwork.objects.filter(pk__in=pks)
        .update(
            status=Artwork.Status.WAITING, attempts=0, next_attempt_at=now, dispatched_at=None, finished_at=None,
            wait_reason="Asked again after some days", claim=None,
        )
    )  # fmt: skip
