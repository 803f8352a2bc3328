"""What workers do for pictures. Rules stand in the modules called."""

from celery import shared_task
from django.utils import timezone

from albumart.claims import free_abandoned
from albumart.dispatch import look_again, take_due
from albumart.pipeline.process import process_request
from albumart.storage_cleanup import forget_old_content, sweep_files
from flags.evaluation import flags_for_everyone
from flags.registry import ALBUM_ART_PIPELINE


@shared_task(soft_time_limit=60, time_limit=90)
def process_artwork(artwork_id: int) -> None:
    if flags_for_everyone().is_on(ALBUM_ART_PIPELINE):
        process_request(artwork_id, timezone.now)


@shared_task
def send_due_artworks() -> None:
    free_abandoned(timezone.now())
    if flags_for_everyone().is_on(ALBUM_ART_PIPELINE):
        for artwork_id in take_due(timezone.now()):
            process_artwork.delay(artwork_id)


@shared_task
def look_again_for_absent() -> None:
    look_again(timezone.now())


@shared_task
def clean_up_artwork() -> None:
    forget_old_content(timezone.now())
    sweep_files(timezone.now(), is_dry_run=False)
