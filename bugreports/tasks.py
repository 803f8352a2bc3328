"""What the clock does for bug reports. Rules stand in the modules called."""

from celery import shared_task
from django.utils import timezone

from bugreports.file_cleanup import delete_pending_files, sweep_orphans
from bugreports.notifications import delete_old_notifications, deliver_due, enqueue_digests
from bugreports.retention import SCHEDULED, purge


@shared_task(soft_time_limit=3300, time_limit=3600)
def purge_expired_reports() -> None:
    purge(requested_by=SCHEDULED, now=timezone.now())


@shared_task
def deliver_notifications() -> None:
    deliver_due(timezone.now)


@shared_task
def enqueue_daily_digests() -> None:
    enqueue_digests(timezone.now())


@shared_task
def cleanup_report_files() -> None:
    delete_pending_files()
    sweep_orphans(timezone.now())
    delete_old_notifications(timezone.now())
