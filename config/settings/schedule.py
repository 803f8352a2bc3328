"""What runs by the clock, all of it. Times are UTC."""

from celery.schedules import crontab

CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "check the registry every night": {
        "task": "assets.tasks.check_consistency",
        "schedule": crontab(hour="3", minute="20"),
    },
    "clean up after broken registrations": {
        "task": "assets.tasks.expire_reservations",
        "schedule": crontab(minute="*/10"),
    },
    "send pictures that are due, free those of dead workers": {
        "task": "albumart.tasks.dispatch_due_artworks",
        "schedule": 10.0,
        "options": {"expires": 10},  # after an outage one is enough
    },
    "backfills-requeue-stalled": {
        "task": "backfills.tasks.requeue_stalled_runs",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "look again for pictures that were absent": {
        "task": "albumart.tasks.recheck_not_found_artworks",
        "schedule": crontab(minute="40"),
    },
    "clean up after pictures every night": {
        "task": "albumart.tasks.cleanup_artwork_storage",
        "schedule": crontab(hour="3", minute="50"),
    },
    "purge bug reports whose time is over": {
        "task": "bugreports.tasks.purge_expired_reports",
        "schedule": crontab(hour="2", minute="30"),
        "options": {"expires": 3600},
    },
    "clean up after bug reports every night": {
        "task": "bugreports.tasks.cleanup_report_files",
        "schedule": crontab(hour="3", minute="10"),
    },
    "tell the outside of bug reports": {
        "task": "bugreports.tasks.deliver_notifications",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "write people of their bug reports every morning": {
        "task": "bugreports.tasks.enqueue_daily_digests",
        "schedule": crontab(hour="6", minute="0"),
    },
}
