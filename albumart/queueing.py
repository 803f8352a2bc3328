"""Ask for pictures: the row first, the message on commit. The one module that sends work."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction

from albumart import tasks
from albumart.errors import ArtworkNotRetryable, ManualArtworkProtected
from albumart.missing_artwork import FetchPlan
from albumart.models import Artwork, ArtworkContent, ArtworkRun
from albumart.models.artworks import MANUAL
from albumart.querysets import ArtworkQuerySet
from albumart.sources import url_host
from assets.models import Asset
from common.errors import Conflict, InvalidInput, PayloadTooLarge
from common.task_dispatch import dispatch_best_effort

log = logging.getLogger(__name__)

SUPERSEDED = "superseded"


@transaction.atomic
def request_artwork(
    asset: Asset, *, source_url: str, trigger: str, by: str, now: datetime, is_current: bool = True
) -> Artwork:
    """A new request for the picture at `source_url`; an open one of the asset gives way.

    With `is_current` clients see the request at once, else they keep the picture they have until this one is stored.
    """
    if trigger == Artwork.Trigger.AUTOMATION and _stored_artwork(asset).manual().exists():
        raise ManualArtworkProtected(f"{asset.name} has a picture that a person chose")
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
    asset: Asset, *, content: bytes, declared_type: str, trigger: str, by: str, now: datetime, is_current: bool = True
) -> Artwork:
    """A new request with the picture itself. Raises PayloadTooLarge, Invalid (empty, or too many uploads in an hour)."""
    if len(content) > settings.ALBUMART_MAX_BYTES:
        raise PayloadTooLarge(f"A picture may have {settings.ALBUMART_MAX_BYTES} bytes", field="albumArt")
    if not content:
        raise InvalidInput("The picture is empty", field="albumArt")
    recent = Artwork.objects.filter(requested_by=by, source_url="", requested_at__gt=now - timedelta(hours=1))
    if recent.count() >= settings.ALBUMART_MAX_UPLOADS_PER_HOUR:
        raise InvalidInput(
            f"{settings.ALBUMART_MAX_UPLOADS_PER_HOUR} pictures an hour is the most one person may upload",
            field="albumArt",
        )
    artwork = Artwork(asset=asset, source_name=MANUAL, trigger=trigger, requested_by=by, requested_at=now)
    _enqueue(artwork, is_current=is_current, now=now)
    ArtworkContent.objects.create(artwork=artwork, content=content, declared_type=declared_type[:100], received_at=now)
    return artwork


def _enqueue(artwork: Artwork, *, is_current: bool, now: datetime) -> Artwork:
    Asset.objects.select_for_update(no_key=True).only("pk").get(
        pk=artwork.asset_id
    )  # one request of an asset at a time
    _supersede(artwork.asset_id, now)
    artwork.is_current = is_current or not Artwork.objects.current().filter(asset=artwork.asset_id).exists()
    if artwork.is_current:
        Artwork.objects.current().filter(asset=artwork.asset_id).update(is_current=False)
    artwork.next_attempt_at = artwork.dispatched_at = now
    artwork.save(force_insert=True)
    transaction.on_commit(partial(dispatch_best_effort, tasks.process_artwork, artwork.pk))
    log.info("picture asked for", extra={"artwork_id": artwork.pk, "trigger": artwork.trigger})
    return artwork


def _supersede(asset_pk: int, now: datetime) -> None:
    Artwork.objects.open().filter(asset=asset_pk).update(
        status=Artwork.Status.REFUSED, finished_at=now, claim=None, wait_reason="", error_code=SUPERSEDED,
        error_message="Another picture was asked for meanwhile",
    )  # fmt: skip


@transaction.atomic
def withdraw_artwork(asset: Asset, *, now: datetime) -> None:
    """The asset shall have no picture. What was stored stays on record, no longer shown."""
    _supersede(asset.pk, now)
    Artwork.objects.current().filter(asset=asset).update(is_current=False)


@transaction.atomic
def refetch(artwork_pks: Iterable[int], *, by: str, now: datetime) -> int:
    """New requests to the same addresses; what is shown stays until they are stored. Uploads have no address."""
    asked = 0
    for artwork in Artwork.objects.filter(pk__in=list(artwork_pks)).select_related("asset").order_by("asset_id"):
        if artwork.source_url and not artwork.is_open:
            shows_picture = _stored_artwork(artwork.asset).exists()
            request_artwork(
                artwork.asset, source_url=artwork.source_url, trigger=Artwork.Trigger.STAFF, by=by, now=now,
                is_current=not shows_picture,
            )  # fmt: skip
            asked += 1
    return asked


@transaction.atomic
def retry_failed(artwork_pks: Iterable[int], *, now: datetime) -> int:
    """Requests that ended without a picture go on where they stopped: bytes that are here are not fetched again.

    Raises ArtworkNotRetryable for one whose asset has a newer open request.
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
            raise ArtworkNotRetryable(f"{artwork.asset.name} has another request under way")
        if not artwork.source_url and not ArtworkContent.objects.filter(artwork=artwork).exists():
            raise ArtworkNotRetryable(
                f"The uploaded bytes for {artwork.asset.name} are no longer kept; upload them again"
            )
        open_assets.add(artwork.asset_id)
        artwork.requeue(now)
        transaction.on_commit(partial(dispatch_best_effort, tasks.process_artwork, artwork.pk))
    return len(artworks)


@transaction.atomic
def mark_not_found(artwork_pks: Iterable[int], *, by: str, now: datetime) -> int:
    """Staff say that there is no picture to be had. Stored ones are passed over."""
    marked = 0
    for artwork in (
        Artwork.objects.select_for_update()
        .filter(pk__in=list(artwork_pks))
        .exclude(status__in=[Artwork.Status.STORED, Artwork.Status.ABSENT])
    ):
        artwork.end(Artwork.Status.ABSENT, now, code="marked_absent", message=f"Marked as absent by {by}")
        marked += 1
    return marked


def _stored_artwork(asset: Asset) -> ArtworkQuerySet:
    return Artwork.objects.current().filter(asset=asset, status=Artwork.Status.STORED)


@transaction.atomic
def start_run(plan: FetchPlan, *, name: str, reason: str, by: str, now: datetime) -> ArtworkRun:
    """Write the requests of the plan, each due at its place in its source's pace. The sweeper sends them.

    Raises Conflict for a name that is taken.
    """
    if ArtworkRun.objects.filter(name=name).exists():
        raise Conflict(f"there is a run named {name} already", field="name")
    run = ArtworkRun.objects.create(
        name=name,
        reason=reason,
        requested_by=by,
        requested_at=now,
        asset_pks=list(plan.asset_pks),
    )
    Artwork.objects.bulk_create(
        [
            Artwork(
                asset_id=request.asset_pk, is_current=True, source_url=request.source_url,
                source_host=url_host(request.source_url), trigger=Artwork.Trigger.AUTOMATION, requested_by=by,
                requested_at=now, run=run,
                next_attempt_at=now + timedelta(seconds=request.starts_after_seconds),
            )
            for request in plan.requests
        ],
        batch_size=500,
        ignore_conflicts=True,  # somebody asked for a song's picture since the plan was made
    )  # fmt: skip
    log.info("picture run started", extra={"run": run.name, "requests": len(plan.requests)})
    return run


@transaction.atomic
def pause_run(run_pk: int, *, now: datetime) -> None:
    ArtworkRun.objects.filter(pk=run_pk, paused_at=None).update(paused_at=now)


@transaction.atomic
def resume_run(run_pk: int) -> None:
    ArtworkRun.objects.filter(pk=run_pk).update(paused_at=None)


@transaction.atomic
def cancel_run(run_pk: int, *, by: str, now: datetime) -> int:
    """Requests of the run that are still waiting end, and their songs count as missing again; the rest stays."""
    return (
        Artwork.objects.waiting()
        .filter(run=run_pk)
        .update(
            status=Artwork.Status.REFUSED, is_current=False, finished_at=now, wait_reason="", error_code="cancelled",
            error_message=f"The run was cancelled by {by}"[:500],
        )
    )  # fmt: skip
