"""What the clock does for bug reports. Rules stand in the modules called."""

from celery import shared_task
from django.utils import timezone

from bugreports.file_cleanup import remove_files, sweep_orphans
from bugreports.notifications import forget_old_notices, send_due, write_digests
from bugreports.retention import BY_CLOCK, purge


@shared_task(soft_time_limit=3300, time_limit=3600)
def purge_stale_reports() -> None:
    purge(requested_by=BY_CLOCK, now=timezone.now())


@shared_task
def send_due_notices() -> None:
    send_due(timezone.now)


@shared_task
def write_daily_digests() -> None:
    write_digests(timezone.now())


@shared_task
def clean_up_after_reports() -> None:
    remove_files()
    sweep_orphans(timezone.now())
    forget_old_notices(timezone.now())
