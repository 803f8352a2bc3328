from celery import shared_task
from django.utils import timezone

from common.task_dispatch import RETRY_AFTER_OUTAGE
from notifications.delivery import deliver_due
from notifications.outbox import delete_old_notifications as delete_old


@shared_task
def deliver_notifications() -> None:
    deliver_due(timezone.now)


@shared_task(**RETRY_AFTER_OUTAGE)
def delete_old_notifications() -> None:
    delete_old(timezone.now())
