"""Store the files first, then the rows that name them: a crash leaves unused files, but no row without a file."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from django.db import transaction

from albumart.claims import Claim
from albumart.errors import ManualArtworkProtected, QualityNotImproved
from albumart.models import Artwork, ArtworkContent, ArtworkFile
from albumart.pipeline.resize import RenderedArtwork
from albumart.quality import RANK, RULE_VERSION
from albumart.steps import StepRecorder
from assets.models import Asset
from common.advisory_locks import advisory_lock
from common.content_addressed_storage import content_key, save_if_absent

FOLDER = "album-art"
_STORAGE_LOCK = 0x616C62756D  # workers of the last release use this number: both must exclude each other


def store_files(rendered: RenderedArtwork, recorder: StepRecorder) -> list[ArtworkFile]:
    """Store the files and return unsaved rows. The caller must hold `storage_lock`. Raises Unavailable."""
    files, written = [], 0
    for file in rendered.files:
        key = content_key(FOLDER, file.content, file.content_type)
        written += save_if_absent(key, file.content, content_type=file.content_type)
        files.append(
            ArtworkFile(
                name=file.name,
                key=key,
                content_type=file.content_type,
                size_bytes=len(file.content),
                width_px=file.width_px,
                height_px=file.height_px,
            )
        )
    recorder.size_bytes = sum(file.size_bytes for file in files)
    recorder.details = {"written": written, "already_there": len(files) - written}
    return files


@contextmanager
def storage_lock() -> Iterator[None]:
    """Prevent the deletion of files that exist but are not named by a row yet."""
    with advisory_lock(_STORAGE_LOCK, is_shared=True):
        yield


def try_exclusive_storage_lock() -> AbstractContextManager[bool]:
    """Yield True while no worker stores files; False if one does."""
    return advisory_lock(_STORAGE_LOCK, wait=False)


@transaction.atomic
def record_stored(claim: Claim, files: list[ArtworkFile], rendered: RenderedArtwork, *, now: datetime) -> None:
    """Make the request the current artwork of its asset.

    Raises ClaimLost, ManualArtworkProtected or QualityNotImproved without changing a row.
    """
    artwork = Artwork.objects.get(pk=claim.artwork_pk)
    asset = Asset.objects.select_for_update(no_key=True).only("pk", "album_art").get(pk=artwork.asset_id)
    _check_replaceable(artwork, rendered)
    original = rendered.original
    claim.release(
        status=Artwork.Status.STORED,
        finished_at=now,
        error_code="",
        error_message="",
        content_type=original.content_type,
        size_bytes=len(original.content),
        width_px=original.width_px,
        height_px=original.height_px,
        quality=rendered.quality,
        quality_rule=RULE_VERSION,
        measurements=rendered.measurements,
        dominant_color=rendered.dominant_color,
        blurhash=rendered.blurhash,
    )
    ArtworkFile.objects.filter(artwork=artwork).delete()  # of an earlier attempt
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


def _check_replaceable(artwork: Artwork, rendered: RenderedArtwork) -> None:
    """Runs replace artwork only by artwork of higher quality, and never artwork that a user chose."""
    if artwork.trigger != Artwork.Trigger.AUTOMATION:
        return
    stored = Artwork.objects.current().filter(asset=artwork.asset_id, status=Artwork.Status.STORED)
    current = stored.first()
    if current is None or current.pk == artwork.pk:
        return
    if stored.manual().exists():
        raise ManualArtworkProtected("A user chose the current artwork")
    if RANK[rendered.quality] <= RANK.get(current.quality, -1):
        raise QualityNotImproved(f"The current artwork already has {current.quality.lower()} quality")
