"""Celery tasks of artwork. They call domain functions and contain no rules."""

from celery import shared_task
from django.utils import timezone

from albumart.claims import release_stale_claims
from albumart.dispatch import claim_due_for_dispatch, recheck_not_found, reject_requests_of_cancelled_runs
from albumart.pipeline.process import process_request
from albumart.storage_cleanup import delete_expired_content, reconcile_files
from common.task_dispatch import RETRY_AFTER_OUTAGE
from flags.evaluation import global_flags
from flags.registry import ALBUM_ART_PIPELINE


@shared_task(soft_time_limit=60, time_limit=90)
def process_artwork(artwork_id: int) -> None:
    if global_flags().is_on(ALBUM_ART_PIPELINE):
        process_request(artwork_id, timezone.now)


@shared_task
def dispatch_due_artworks() -> None:
    release_stale_claims(timezone.now())
    reject_requests_of_cancelled_runs(timezone.now())
    if global_flags().is_on(ALBUM_ART_PIPELINE):
        for artwork_id in claim_due_for_dispatch(timezone.now()):
            process_artwork.delay(artwork_id)


@shared_task(**RETRY_AFTER_OUTAGE)
def recheck_not_found_artworks() -> None:
    recheck_not_found(timezone.now())


@shared_task(**RETRY_AFTER_OUTAGE)
def cleanup_artwork_storage() -> None:
    delete_expired_content(timezone.now())
    reconcile_files(timezone.now(), is_dry_run=False)
