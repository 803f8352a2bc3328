"""Create requests for artwork. The row is written first; the task is sent on commit."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction

from albumart import tasks
from albumart.errors import ArtworkNotRetryable, ManualArtworkProtected
from albumart.models import Artwork, ArtworkContent
from albumart.models.artworks import MANUAL
from albumart.querysets import ArtworkQuerySet
from albumart.sources import url_host
from assets.models import Asset
from common.errors import InvalidInput, PayloadTooLarge
from common.task_dispatch import dispatch_best_effort

log = logging.getLogger(__name__)

SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Upload:
    content: bytes
    declared_type: str


def submit_artwork(
    asset: Asset, *, upload: Upload | None = None, url: str | None = None, trigger: str, by: str, now: datetime,
    keeps_current: bool = False,
) -> Artwork | None:  # fmt: skip
    """Replace the artwork of the asset by an upload or by the image at `url`; without both, remove it.

    With `keeps_current`, clients see the stored artwork until the new one is stored. Raises PayloadTooLarge,
    InvalidInput.
    """
    if upload is None and not url:
        withdraw_artwork(asset, now=now)
        return None
    is_current = not (keeps_current and _stored_artwork(asset).exists())
    if upload is not None:
        return upload_artwork(asset, upload, trigger=trigger, by=by, now=now, is_current=is_current)
    return request_artwork(asset, source_url=url, trigger=trigger, by=by, now=now, is_current=is_current)


@transaction.atomic
def request_artwork(
    asset: Asset, *, source_url: str, trigger: str, by: str, now: datetime, is_current: bool = True
) -> Artwork:
    """Request the image at `source_url`. It supersedes an open request of the asset.

    With `is_current`, clients see the new request at once; else they see the current artwork until the new one is
    stored. Raises ManualArtworkProtected for automation if a user chose the stored artwork.
    """
    if trigger == Artwork.Trigger.AUTOMATION and _stored_artwork(asset).manual().exists():
        raise ManualArtworkProtected(f"A user chose the artwork of {asset.name}")
    return _enqueue(
        Artwork(
            asset=asset,
            source_url=source_url,
            source_host=url_host(source_url),
            trigger=trigger,
            requested_by=by,
            requested_at=now,
        ),
        is_current=is_current,
        now=now,
    )


@transaction.atomic
def upload_artwork(
    asset: Asset, upload: Upload, *, trigger: str, by: str, now: datetime, is_current: bool = True
) -> Artwork:
    """Request an uploaded image. Raises PayloadTooLarge; InvalidInput for no bytes, or too many uploads in an hour."""
    if len(upload.content) > settings.ALBUMART_MAX_BYTES:
        raise PayloadTooLarge(f"A picture may have {settings.ALBUMART_MAX_BYTES} bytes", field="albumArt")
    if not upload.content:
        raise InvalidInput("The picture is empty", field="albumArt")
    recent = Artwork.objects.filter(requested_by=by, source_url="", requested_at__gt=now - timedelta(hours=1))
    if recent.count() >= settings.ALBUMART_MAX_UPLOADS_PER_HOUR:
        raise InvalidInput(
            f"{settings.ALBUMART_MAX_UPLOADS_PER_HOUR} pictures an hour is the most one person may upload",
            field="albumArt",
        )
    artwork = Artwork(asset=asset, source_name=MANUAL, trigger=trigger, requested_by=by, requested_at=now)
    _enqueue(artwork, is_current=is_current, now=now)
    ArtworkContent.objects.create(
        artwork=artwork, content=upload.content, declared_type=upload.declared_type[:100], received_at=now
    )
    return artwork


def _enqueue(artwork: Artwork, *, is_current: bool, now: datetime) -> Artwork:
    # Locks the asset: its requests are created one after the other.
    Asset.objects.select_for_update(no_key=True).only("pk").get(pk=artwork.asset_id)
    _supersede(artwork.asset_id, now)
    artwork.is_current = is_current or not Artwork.objects.current().filter(asset=artwork.asset_id).exists()
    if artwork.is_current:
        Artwork.objects.current().filter(asset=artwork.asset_id).update(is_current=False)
    artwork.next_attempt_at = artwork.dispatched_at = now
    artwork.save(force_insert=True)
    transaction.on_commit(partial(dispatch_best_effort, tasks.process_artwork, artwork.pk))
    log.info("artwork requested", extra={"artwork_id": artwork.pk, "trigger": artwork.trigger})
    return artwork


def _supersede(asset_pk: int, now: datetime) -> None:
    Artwork.objects.open().filter(asset=asset_pk).update(
        status=Artwork.Status.REFUSED, finished_at=now, claim=None, claim_expires_at=None, wait_reason="",
        error_code=SUPERSEDED, error_message="Superseded by a newer request",
    )  # fmt: skip


@transaction.atomic
def withdraw_artwork(asset: Asset, *, now: datetime) -> None:
    """Remove the artwork of the asset. Its requests and files stay, but clients no longer see them."""
    _supersede(asset.pk, now)
    Artwork.objects.current().filter(asset=asset).update(is_current=False)


@transaction.atomic
def refetch(artwork_pks: Iterable[int], *, by: str, now: datetime) -> int:
    """Request the same URLs again and return the number of requests. Uploads and open requests are left out.

    Clients see the stored artwork until the new one is stored.
    """
    requested = 0
    for artwork in Artwork.objects.filter(pk__in=list(artwork_pks)).select_related("asset").order_by("asset_id"):
        if artwork.source_url and not artwork.is_open:
            submit_artwork(
                artwork.asset, url=artwork.source_url, trigger=Artwork.Trigger.STAFF, by=by, now=now, keeps_current=True
            )
            requested += 1
    return requested


@transaction.atomic
def retry_failed(artwork_pks: Iterable[int], *, now: datetime) -> int:
    """Retry requests that finished without artwork, and return their number. Kept bytes are not fetched again.

    Raises ArtworkNotRetryable if an asset has an open request, or if the uploaded bytes are deleted.
    """
    ended = (Artwork.Status.REFUSED, Artwork.Status.ABSENT, Artwork.Status.FAILED)
    artworks = list(
        Artwork.objects.select_for_update(of=("self",)).filter(pk__in=list(artwork_pks), status__in=ended)
        .select_related("asset").order_by("pk")
    )  # fmt: skip
    open_assets = set(
        Artwork.objects.open().filter(asset__in=[a.asset_id for a in artworks]).values_list("asset_id", flat=True)
    )
    for artwork in artworks:
        if artwork.asset_id in open_assets:
            raise ArtworkNotRetryable(f"{artwork.asset.name} already has an open request; wait until it is finished")
        if not artwork.source_url and not ArtworkContent.objects.filter(artwork=artwork).exists():
            raise ArtworkNotRetryable(f"The uploaded bytes of {artwork.asset.name} are deleted; upload them again")
        open_assets.add(artwork.asset_id)
        artwork.requeue(now)
        transaction.on_commit(partial(dispatch_best_effort, tasks.process_artwork, artwork.pk))
    return len(artworks)


@transaction.atomic
def mark_not_found(artwork_pks: Iterable[int], *, by: str, now: datetime) -> int:
    """Record that no artwork exists, and return the number of requests marked. Stored artwork is left out."""
    marked = 0
    for artwork in (
        Artwork.objects.select_for_update()
        .filter(pk__in=list(artwork_pks))
        .exclude(status__in=[Artwork.Status.STORED, Artwork.Status.ABSENT])
    ):
        artwork.finish(Artwork.Status.ABSENT, now, code="marked_absent", message=f"Marked as not found by {by}")
        marked += 1
    return marked


def _stored_artwork(asset: Asset) -> ArtworkQuerySet:
    return Artwork.objects.current().filter(asset=asset, status=Artwork.Status.STORED)
