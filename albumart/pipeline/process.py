"""One attempt of a request: claim, fetch, validate, scan, resize, store."""

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
    """A defect of the pipeline; the log has the traceback."""

    code = "internal_error"


class ProcessingTimeout(Unavailable):
    code = "took_too_long"


class AssetDeleted(InvalidInput):
    code = "asset_deleted"


def process_request(artwork_pk: int, clock: Clock) -> None:
    """Process a pending request as far as possible. Does nothing if the request is not pending or not due."""
    claim = claim_artwork(artwork_pk, clock())
    if claim is None:
        return
    try:
        _handle_outcome(claim, clock)
    except ClaimLost:
        log.warning("artwork claim lost", extra={"artwork_id": artwork_pk})


def _handle_outcome(claim: Claim, clock: Clock) -> None:
    try:
        _attempt(claim, clock)
    except ClaimLost:
        raise
    except Deferred as deferred:
        defer(claim, deferred.message, seconds=deferred.seconds, now=clock())
    except InvalidInput as error:
        finish(claim, Artwork.Status.REFUSED, error, now=clock())
        clear_data_uri(Artwork.objects.get(pk=claim.artwork_pk))
    except NotFound as error:
        finish(claim, Artwork.Status.ABSENT, error, now=clock())
    except RegistryError as error:
        schedule_retry(claim, error, now=clock())
    except SoftTimeLimitExceeded:
        schedule_retry(claim, ProcessingTimeout("The attempt exceeded the time limit of a task"), now=clock())
    except Exception:  # one bad image must neither stop the worker nor get lost
        log.exception("artwork failed unexpectedly", extra={"artwork_id": claim.artwork_pk})
        schedule_retry(claim, UnexpectedError("Unexpected error, see the log"), now=clock())


def _attempt(claim: Claim, clock: Clock) -> None:
    artwork = Artwork.objects.select_related("asset").get(pk=claim.artwork_pk)
    if artwork.asset.is_deleted:
        raise AssetDeleted("The asset was deleted")
    stored_content = _load_content(artwork, claim, clock)
    content = bytes(stored_content.content)
    with record_step(claim, "validate") as recorder:
        structure = validate_image(content, stored_content.declared_type, recorder)
    with record_step(claim, "scan") as recorder:
        verdict = scan_image(content)
        recorder.details = {"verdict": verdict}
        if verdict == NOT_SCANNED:
            recorder.outcome = ArtworkStep.Outcome.SKIPPED
    with record_step(claim, "resize") as recorder:
        rendered = render_artwork(content, structure, recorder)
    with record_step(claim, "store") as recorder, storage_lock():
        files = store_files(rendered, recorder)
        record_stored(claim, files, rendered, now=clock())
    log.info("artwork stored", extra={"artwork_id": artwork.pk, "quality": rendered.quality})


def _load_content(artwork: Artwork, claim: Claim, clock: Clock) -> ArtworkContent:
    """Return the bytes of the upload or of an earlier attempt; else fetch them and keep them until they are stored."""
    content = ArtworkContent.objects.filter(artwork=artwork).first()
    if content is not None:
        return content
    with record_step(claim, "fetch") as recorder:
        fetched = fetch_image(artwork, recorder, clock)
        return _save_content(artwork, fetched.content, fetched.content_type, clock())


def _save_content(artwork: Artwork, content: bytes, declared_type: str, now: datetime) -> ArtworkContent:
    saved, _ = ArtworkContent.objects.update_or_create(
        artwork=artwork, defaults={"content": content, "declared_type": declared_type[:100], "received_at": now}
    )
    return saved
