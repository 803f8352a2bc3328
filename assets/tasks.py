"""What workers do by the clock. Rules stand in the modules called."""

import logging

from celery import shared_task
from django.utils import timezone

from assets.consistency import clean_up_lapsed, find_drift
from taxonomy.lookup import current_directory

log = logging.getLogger(__name__)


@shared_task
def check_registry() -> None:
    drift = find_drift(current_directory())
    for line in drift.lines():
        log.error("registry drifted", extra={"finding": line})


@shared_task
def clean_up_broken_registrations() -> None:
    clean_up_lapsed(timezone.now())
