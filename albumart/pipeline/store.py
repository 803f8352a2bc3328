"""Bytes first, then the rows that name them, in one transaction: a crash leaves a file too many, never too few."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction

from albumart.claims import Claim
from albumart.errors import ManualArtworkProtected, QualityNotImproved
from albumart.models import Artwork, ArtworkContent, ArtworkFile
from albumart.pipeline.resize import RenderedArtwork
from albumart.quality import RANK, RULE_VERSION
from albumart.steps import StepRecorder
from assets.models import Asset
from common.content_addressed_storage import content_key, save_if_absent

FOLDER = "album-art"
_STORING_LOCK = 0x616C62756D  # one number for all: storing and sweeping agree on it


def store_files(pictures: RenderedArtwork, notes: StepRecorder) -> list[ArtworkFile]:
    """The files as rows that are not saved yet. Raises Unavailable. Call it while `storing()`."""
    files, written = [], 0
    for made in pictures.files:
        key = content_key(FOLDER, made.content, made.content_type)
        written += save_if_absent(key, made.content, content_type=made.content_type)
        files.append(
            ArtworkFile(
                name=made.name,
                key=key,
                content_type=made.content_type,
                size_bytes=len(made.content),
                width_px=made.width_px,
                height_px=made.height_px,
            )
        )
    notes.size_bytes = sum(file.size_bytes for file in files)
    notes.details = {"written": written, "already_there": len(files) - written}
    return files


@contextmanager
def storage_lock() -> Iterator[None]:
    """While this is held, no sweep deletes a file that is found already there and not yet named by a row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [_STORING_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [_STORING_LOCK])


@contextmanager
def try_exclusive_storage_lock() -> Iterator[bool]:
    """Whether it could be made sure that nobody stores meanwhile; the sweep comes back later when not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_STORING_LOCK])
        is_held = cursor.fetchone()[0]
    try:
        yield is_held
    finally:
        if is_held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_STORING_LOCK])


@transaction.atomic
def record_stored(claim: Claim, files: list[ArtworkFile], pictures: RenderedArtwork, *, now: datetime) -> None:
    """Make the request the current artwork of its asset.

    Raises ClaimLost, ManualArtworkProtected or QualityNotImproved without changing a row.
    """
    artwork = Artwork.objects.get(pk=claim.artwork_pk)
    asset = Asset.objects.select_for_update(no_key=True).only("pk", "album_art").get(pk=artwork.asset_id)
    _check_replaceable(artwork, pictures)
    original = pictures.original
    claim.write(
        status=Artwork.Status.STORED,
        finished_at=now,
        claim=None,
        error_code="",
        error_message="",
        content_type=original.content_type,
        size_bytes=len(original.content),
        width_px=original.width_px,
        height_px=original.height_px,
        quality=pictures.quality,
        quality_rule=RULE_VERSION,
        facts=pictures.facts,
        dominant_color=pictures.dominant_color,
        blurhash=pictures.blurhash,
    )
    ArtworkFile.objects.filter(artwork=artwork).delete()  # of an earlier time this request was stored
    for file in files:
        file.artwork = artwork
    ArtworkFile.objects.bulk_create(files)
    Artwork.objects.current().filter(asset=asset).exclude(pk=artwork.pk).update(is_current=False)
    Artwork.objects.filter(pk=artwork.pk).update(is_current=True)
    ArtworkContent.objects.filter(artwork=artwork).delete()
    clear_data_uri(artwork)


def clear_data_uri(artwork: Artwork) -> None:
    """Remove a data URI that an import stored in the asset row; the revision of the asset does not change."""
    Asset.objects.filter(pk=artwork.asset_id, album_art__startswith="data:").update(album_art=None)


def _check_replaceable(artwork: Artwork, pictures: RenderedArtwork) -> None:
    if artwork.trigger != Artwork.Trigger.AUTOMATION:
        return
    shown = Artwork.objects.current().filter(asset=artwork.asset_id, status=Artwork.Status.STORED)
    current = shown.first()
    if current is None or current.pk == artwork.pk:
        return
    if shown.manual().exists():
        raise ManualArtworkProtected("The asset has a picture that a person chose")
    if RANK[pictures.quality] <= RANK.get(current.quality, -1):
        raise QualityNotImproved(f"The picture there is already of {current.quality.lower()} quality")
