"""What workers do by the clock. Rules stand in the modules called."""

import logging

from celery import shared_task
from django.utils import timezone

from assets import consistency
from taxonomy.snapshot_cache import current_taxonomy

log = logging.getLogger(__name__)


@shared_task
def check_consistency() -> None:
    drift = consistency.check_consistency(current_taxonomy())
    for line in drift.lines():
        log.error("registry drifted", extra={"finding": line})


@shared_task
def expire_reservations() -> None:
    consistency.expire_stale_reservations(timezone.now())
