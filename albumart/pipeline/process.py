"""One attempt at one request: claim, fetch, validate, scan, resize, store, record."""

import logging
from datetime import datetime

from celery.exceptions import SoftTimeLimitExceeded

from albumart.claims import Claim, Clock, claim_artwork, end, retry_later, wait_for_turn
from albumart.errors import ClaimLost, MustWait
from albumart.models import Artwork, ArtworkContent, ArtworkStep
from albumart.pipeline.fetch import fetch_picture
from albumart.pipeline.resize import make_pictures
from albumart.pipeline.scan import NOT_SCANNED, scan_picture
from albumart.pipeline.store import drop_sent_bytes, record_stored, store_files, storing
from albumart.pipeline.validate import validate_picture
from albumart.steps import recorded_step
from common.errors import InvalidInput, NotFound, RegistryError, Unavailable

log = logging.getLogger(__name__)


class InternalError(Unavailable):
    """A defect of ours; the traceback is in the log."""

    code = "internal_error"


class TookTooLong(Unavailable):
    code = "took_too_long"


class AssetDeleted(InvalidInput):
    code = "asset_deleted"


def process_request(artwork_pk: int, clock: Clock) -> None:
    """Bring one waiting request as far as it gets. A message too many, or too early, does nothing."""
    claim = claim_artwork(artwork_pk, clock())
    if claim is None:
        return
    try:
        _settle(claim, clock)
    except ClaimLost:
        log.warning("picture taken over by another worker", extra={"artwork_id": artwork_pk})


def _settle(claim: Claim, clock: Clock) -> None:
    try:
        _attempt(claim, clock)
    except ClaimLost:
        raise
    except MustWait as wait:
        wait_for_turn(claim, wait.message, seconds=wait.seconds, now=clock())
    except InvalidInput as refusal:
        end(claim, Artwork.Status.REFUSED, refusal, now=clock())
        drop_sent_bytes(Artwork.objects.get(pk=claim.artwork_pk))
    except NotFound as absence:
        end(claim, Artwork.Status.ABSENT, absence, now=clock())
    except RegistryError as error:
        retry_later(claim, error, now=clock())
    except SoftTimeLimitExceeded:
        retry_later(claim, TookTooLong("The attempt took longer than a task may"), now=clock())
    except Exception:  # one bad picture must not stop the worker, and must not be lost either
        log.exception("picture failed unexpectedly", extra={"artwork_id": claim.artwork_pk})
        retry_later(claim, InternalError("An unexpected error, see the log"), now=clock())


def _attempt(claim: Claim, clock: Clock) -> None:
    artwork = Artwork.objects.select_related("asset").get(pk=claim.artwork_pk)
    if artwork.asset.is_deleted:
        raise AssetDeleted("The asset was deleted")
    received = _receive(artwork, claim, clock)
    content = bytes(received.content)
    with recorded_step(claim, "validate") as notes:
        structure = validate_picture(content, received.declared_type, notes)
    with recorded_step(claim, "scan") as notes:
        verdict = scan_picture(content)
        notes.details = {"verdict": verdict}
        if verdict == NOT_SCANNED:
            notes.outcome = ArtworkStep.Outcome.SKIPPED
    with recorded_step(claim, "resize") as notes:
        pictures = make_pictures(content, structure, notes)
    with recorded_step(claim, "store") as notes, storing():
        files = store_files(pictures, notes)
        record_stored(claim, files, pictures, now=clock())
    log.info("picture stored", extra={"artwork_id": artwork.pk, "quality": pictures.quality})


def _receive(artwork: Artwork, claim: Claim, clock: Clock) -> ArtworkContent:
    """The bytes: uploaded, left by an earlier attempt, or fetched now and kept until the request ends well."""
    kept = ArtworkContent.objects.filter(artwork=artwork).first()
    if kept is not None:
        return kept
    with recorded_step(claim, "fetch") as notes:
        fetched = fetch_picture(artwork, notes, clock)
        return _keep(artwork, fetched.content, fetched.content_type, clock())


def _keep(artwork: Artwork, content: bytes, declared_type: str, now: datetime) -> ArtworkContent:
    kept, _ = ArtworkContent.objects.update_or_create(
        artwork=artwork, defaults={"content": content, "declared_type": declared_type[:100], "received_at": now}
    )
    return kept
