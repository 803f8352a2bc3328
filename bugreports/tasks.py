from celery import shared_task
from django.utils import timezone

from bugreports.file_cleanup import delete_pending_files, sweep_orphans
from bugreports.notifications import enqueue_digests
from bugreports.purge import SCHEDULED, purge
from common.task_dispatch import RETRY_AFTER_OUTAGE


@shared_task(soft_time_limit=3300, time_limit=3600, **RETRY_AFTER_OUTAGE)
def purge_expired_reports() -> None:
    purge(requested_by=SCHEDULED, now=timezone.now())


@shared_task(**RETRY_AFTER_OUTAGE)
def enqueue_daily_digests() -> None:
    enqueue_digests(timezone.now())


@shared_task(**RETRY_AFTER_OUTAGE)
def cleanup_report_files() -> None:
    delete_pending_files()
    sweep_orphans(timezone.now())
