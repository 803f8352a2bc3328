"""The Celery app: `celery -A config worker`, `celery -A config beat`."""

import os

from celery import Celery
from celery.signals import worker_init

from config.postgresql.time_limits import use_time_limits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")

app = Celery("registry")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def limit_database_calls(**_: object) -> None:
    use_time_limits("task")
