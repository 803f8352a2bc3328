"""Scheduled tasks of assets."""

import logging

from celery import shared_task
from django.utils import timezone

from assets import consistency
from taxonomy.snapshot_cache import current_taxonomy

log = logging.getLogger(__name__)


@shared_task
def check_consistency() -> None:
    report = consistency.check_consistency(current_taxonomy())
    for line in report.lines():
        log.error("registry drifted", extra={"finding": line})


@shared_task
def expire_reservations() -> None:
    consistency.expire_stale_reservations(timezone.now())
