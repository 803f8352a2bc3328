"""What runs by the clock, all of it. Times are UTC."""

from celery.schedules import crontab

CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "check the registry every night": {
        "task": "assets.tasks.check_registry",
        "schedule": crontab(hour="3", minute="20"),
    },
    "clean up after broken registrations": {
        "task": "assets.tasks.clean_up_broken_registrations",
        "schedule": crontab(minute="*/10"),
    },
}
