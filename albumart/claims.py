"""Who works on a request: claimed by one worker, given back, ended; rows of dead workers freed."""

import logging
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Greatest

from albumart.backoff import retry_delay_seconds
from albumart.errors import ClaimLost
from albumart.models import Artwork, ArtworkStep
from common.errors import RegistryError

log = logging.getLogger(__name__)

_rng = random.SystemRandom()
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Claim:
    """A worker's hold on a request; every write of the worker names it."""

    artwork_pk: int
    mark: uuid.UUID
    attempt: int

    def write(self, **columns: Any) -> None:
        """Raises ClaimLost when the row was taken over meanwhile."""
        held = Artwork.objects.filter(pk=self.artwork_pk, status=Artwork.Status.RUNNING, claim=self.mark)
        if not held.update(**columns):
            raise ClaimLost(f"request {self.artwork_pk} was taken over by another worker")


def claim_artwork(artwork_pk: int, now: datetime) -> Claim | None:
    """None when the row is not waiting, not due, or held back: a message may come twice, or late."""
    mark = uuid.uuid4()
    due = Artwork.objects.runnable().filter(pk=artwork_pk, next_attempt_at__lte=now)
    taken = due.update(
        status=Artwork.Status.RUNNING, claim=mark, claimed_at=now, attempts=F("attempts") + 1, wait_reason=""
    )
    if not taken:
        return None
    attempt = Artwork.objects.values_list("attempts", flat=True).get(pk=artwork_pk)
    return Claim(artwork_pk, mark, attempt)


def defer(claim: Claim, reason: str, *, seconds: float, now: datetime) -> None:
    """Back to waiting; the attempt does not count."""
    claim.write(
        status=Artwork.Status.WAITING,
        attempts=Greatest(F("attempts") - 1, 0),
        next_attempt_at=now + timedelta(seconds=seconds),
        dispatched_at=None,
        wait_reason=reason[:300],
        claim=None,
    )


def schedule_retry(claim: Claim, error: RegistryError, *, now: datetime) -> None:
    """Back to waiting with a growing delay; after the last attempt the request has failed and keeps its reason."""
    if claim.attempt >= settings.ALBUMART_MAX_ATTEMPTS:
        finish(claim, Artwork.Status.FAILED, error, now=now)
        return
    delay = retry_delay_seconds(claim.attempt, base_seconds=settings.ALBUMART_RETRY_SECONDS, rng=_rng)
    delay = max(delay, min(getattr(error, "retry_after_seconds", None) or 0, settings.ALBUMART_MAX_PAUSE_SECONDS))
    claim.write(
        status=Artwork.Status.WAITING,
        next_attempt_at=now + timedelta(seconds=delay),
        dispatched_at=None,
        wait_reason=f"Attempt {claim.attempt} failed: {error.message}"[:300],
        error_code=error.code,
        error_message=error.message[:500],
        claim=None,
    )
    log.warning("picture will be tried again", extra={"artwork_id": claim.artwork_pk, "code": error.code})


def finish(claim: Claim, status: str, error: RegistryError, *, now: datetime) -> None:
    """Refused, absent or failed, with its code and sentence."""
    claim.write(
        status=status,
        finished_at=now,
        wait_reason="",
        error_code=error.code,
        error_message=error.message[:500],
        claim=None,
    )
    log.info("picture not stored", extra={"artwork_id": claim.artwork_pk, "status": status, "code": error.code})


def release_stale_claims(now: datetime) -> int:
    """Rows whose worker died go back to waiting; those that killed one worker after another are parked as failed."""
    abandoned = Artwork.objects.abandoned(now - timedelta(seconds=settings.ALBUMART_LEASE_SECONDS))
    freed = 0
    for pk, mark, attempts in list(abandoned.values_list("pk", "claim", "attempts")):
        ArtworkStep.objects.filter(artwork=pk, outcome=ArtworkStep.Outcome.RUNNING).update(
            outcome=ArtworkStep.Outcome.DIED
        )
        try:
            schedule_retry(Claim(pk, mark, attempts), _WORKER_DIED, now=now)
        except ClaimLost:
            continue  # it ended in this very moment
        freed += 1
        log.warning("picture freed from a dead worker", extra={"artwork_id": pk, "attempt": attempts})
    return freed


class WorkerLost(RegistryError):
    """The worker that held the request is gone."""

    code = "worker_died"


_WORKER_DIED = WorkerLost("The worker died or was stopped while it held this picture")
