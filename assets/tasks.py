"""Scheduled tasks of assets."""

import logging

from celery import shared_task
from django.utils import timezone

from assets import consistency
from common.task_dispatch import RETRY_AFTER_OUTAGE
from taxonomy.snapshot_cache import current_taxonomy

log = logging.getLogger(__name__)


@shared_task(**RETRY_AFTER_OUTAGE)
def check_consistency() -> None:
    report = consistency.check_consistency(current_taxonomy())
    for line in report.lines():
        log.error("registry drifted", extra={"finding": line})


@shared_task
def expire_reservations() -> None:
    consistency.expire_stale_reservations(timezone.now())
