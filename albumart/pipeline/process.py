"""One attempt at one request: claim, fetch, validate, scan, resize, store, record."""

import logging
from datetime import datetime

from celery.exceptions import SoftTimeLimitExceeded

from albumart.claims import Claim, Clock, claim_artwork, defer, finish, schedule_retry
from albumart.errors import ClaimLost, Deferred
from albumart.models import Artwork, ArtworkContent, ArtworkStep
from albumart.pipeline.fetch import fetch_image
from albumart.pipeline.resize import render_artwork
from albumart.pipeline.scan import NOT_SCANNED, scan_image
from albumart.pipeline.store import clear_data_uri, record_stored, storage_lock, store_files
from albumart.pipeline.validate import validate_image
from albumart.steps import record_step
from common.errors import InvalidInput, NotFound, RegistryError, Unavailable

log = logging.getLogger(__name__)


class UnexpectedError(Unavailable):
    """A defect of ours; the traceback is in the log."""

    code = "internal_error"


class ProcessingTimeout(Unavailable):
    code = "took_too_long"


class AssetDeleted(InvalidInput):
    code = "asset_deleted"


def process_request(artwork_pk: int, clock: Clock) -> None:
    """Bring one waiting request as far as it gets. A message too many, or too early, does nothing."""
    claim = claim_artwork(artwork_pk, clock())
    if claim is None:
        return
    try:
        _handle_outcome(claim, clock)
    except ClaimLost:
        log.warning("picture taken over by another worker", extra={"artwork_id": artwork_pk})


def _handle_outcome(claim: Claim, clock: Clock) -> None:
    try:
        _attempt(claim, clock)
    except ClaimLost:
        raise
    except Deferred as wait:
        defer(claim, wait.message, seconds=wait.seconds, now=clock())
    except InvalidInput as error:
        finish(claim, Artwork.Status.REFUSED, error, now=clock())
        clear_data_uri(Artwork.objects.get(pk=claim.artwork_pk))
    except NotFound as absence:
        finish(claim, Artwork.Status.ABSENT, absence, now=clock())
    except RegistryError as error:
        schedule_retry(claim, error, now=clock())
    except SoftTimeLimitExceeded:
        schedule_retry(claim, ProcessingTimeout("The attempt took longer than a task may"), now=clock())
    except Exception:  # one bad picture must not stop the worker, and must not be lost either
        log.exception("picture failed unexpectedly", extra={"artwork_id": claim.artwork_pk})
        schedule_retry(claim, UnexpectedError("An unexpected error, see the log"), now=clock())


def _attempt(claim: Claim, clock: Clock) -> None:
    artwork = Artwork.objects.select_related("asset").get(pk=claim.artwork_pk)
    if artwork.asset.is_deleted:
        raise AssetDeleted("The asset was deleted")
    received = _load_content(artwork, claim, clock)
    content = bytes(received.content)
    with record_step(claim, "validate") as notes:
        structure = validate_image(content, received.declared_type, notes)
    with record_step(claim, "scan") as notes:
        verdict = scan_image(content)
        notes.details = {"verdict": verdict}
        if verdict == NOT_SCANNED:
            notes.outcome = ArtworkStep.Outcome.SKIPPED
    with record_step(claim, "resize") as notes:
        pictures = render_artwork(content, structure, notes)
    with record_step(claim, "store") as notes, storage_lock():
        files = store_files(pictures, notes)
        record_stored(claim, files, pictures, now=clock())
    log.info("picture stored", extra={"artwork_id": artwork.pk, "quality": pictures.quality})


def _load_content(artwork: Artwork, claim: Claim, clock: Clock) -> ArtworkContent:
    """The bytes: uploaded, left by an earlier attempt, or fetched now and kept until the request ends well."""
    kept = ArtworkContent.objects.filter(artwork=artwork).first()
    if kept is not None:
        return kept
    with record_step(claim, "fetch") as notes:
        fetched = fetch_image(artwork, notes, clock)
        return _keep(artwork, fetched.content, fetched.content_type, clock())


def _keep(artwork: Artwork, content: bytes, declared_type: str, now: datetime) -> ArtworkContent:
    kept, _ = ArtworkContent.objects.update_or_create(
        artwork=artwork, defaults={"content": content, "declared_type": declared_type[:100], "received_at": now}
    )
    return kept
