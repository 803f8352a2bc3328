"""All scheduled tasks. Times are UTC."""

from celery.schedules import crontab

CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "assets-check-consistency": {
        "task": "assets.tasks.check_consistency",
        "schedule": crontab(hour="3", minute="20"),
    },
    # Sequence numbers reserved by registrations that did not finish.
    "assets-expire-reservations": {
        "task": "assets.tasks.expire_reservations",
        "schedule": crontab(minute="*/10"),
    },
    # Also releases the claims of workers that died.
    "albumart-dispatch-due": {
        "task": "albumart.tasks.dispatch_due_artworks",
        "schedule": 10.0,
        "options": {"expires": 10},  # a backlog of messages after an outage is useless
    },
    # Continues runs whose worker died or whose message was lost.
    "backfills-requeue-stalled": {
        "task": "backfills.tasks.requeue_stalled_runs",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    # Artwork may be uploaded to its URL after the first request.
    "albumart-recheck-not-found": {
        "task": "albumart.tasks.recheck_not_found_artworks",
        "schedule": crontab(minute="40"),
    },
    "albumart-cleanup-storage": {
        "task": "albumart.tasks.cleanup_artwork_storage",
        "schedule": crontab(hour="3", minute="50"),
    },
    "bugreports-purge-expired": {
        "task": "bugreports.tasks.purge_expired_reports",
        "schedule": crontab(hour="2", minute="30"),
        "options": {"expires": 3600},
    },
    "bugreports-cleanup-files": {
        "task": "bugreports.tasks.cleanup_report_files",
        "schedule": crontab(hour="3", minute="10"),
    },
    "notifications-deliver-due": {
        "task": "notifications.tasks.deliver_notifications",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "notifications-delete-old": {
        "task": "notifications.tasks.delete_old_notifications",
        "schedule": crontab(hour="3", minute="20"),
    },
    "bugreports-enqueue-digests": {
        "task": "bugreports.tasks.enqueue_daily_digests",
        "schedule": crontab(hour="6", minute="0"),
    },
}
