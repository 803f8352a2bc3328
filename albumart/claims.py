"""Claims: the exclusive lease of a worker on a request."""

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

from albumart.errors import ClaimLost
from albumart.models import Artwork, ArtworkStep
from common import leases
from common.errors import RegistryError
from common.retry import backoff_seconds, with_retry_after

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
_LEASE_FIELDS = leases.LeaseFields(token="claim", expires_at="claim_expires_at")  # noqa: S106 - a column
_rng = random.SystemRandom()


@dataclass(frozen=True)
class Claim:
    """A worker's claim on a request. Each write names the token."""

    artwork_pk: int
    token: uuid.UUID
    attempt: int

    def write(self, **columns: Any) -> None:
        """Raises ClaimLost if another worker has claimed the request since."""
        claimed = Artwork.objects.filter(pk=self.artwork_pk, status=Artwork.Status.RUNNING, claim=self.token)
        if not claimed.update(**columns):
            raise ClaimLost(f"another worker has claimed request {self.artwork_pk}")

    def release(self, **columns: Any) -> None:
        """End the claim and write `columns`. Raises ClaimLost."""
        self.write(claim=None, claim_expires_at=None, **columns)


def claim_artwork(artwork_pk: int, now: datetime) -> Claim | None:
    """Return None if the request is not pending, not due or paused: its task may come twice, or late."""
    token = leases.acquire_lease(
        Artwork.objects.runnable().filter(pk=artwork_pk, next_attempt_at__lte=now),
        now=now,
        seconds=settings.ALBUMART_LEASE_SECONDS,
        fields=_LEASE_FIELDS,
        status=Artwork.Status.RUNNING,
        claimed_at=now,
        attempts=F("attempts") + 1,
        wait_reason="",
    )
    if token is None:
        return None
    attempt = Artwork.objects.values_list("attempts", flat=True).get(pk=artwork_pk)
    return Claim(artwork_pk, token, attempt)


def defer(claim: Claim, reason: str, *, seconds: float, now: datetime) -> None:
    """Try again after `seconds`. The attempt is not counted."""
    claim.release(
        status=Artwork.Status.WAITING,
        attempts=Greatest(F("attempts") - 1, 0),
        next_attempt_at=now + timedelta(seconds=seconds),
        dispatched_at=None,
        wait_reason=reason[:300],
    )


def schedule_retry(claim: Claim, error: RegistryError, *, now: datetime) -> None:
    """Try again after a growing delay. After the last attempt, finish the request as failed."""
    if claim.attempt >= settings.ALBUMART_MAX_ATTEMPTS:
        finish(claim, Artwork.Status.FAILED, error, now=now)
        return
    delay = with_retry_after(
        backoff_seconds(claim.attempt, base_seconds=settings.ALBUMART_RETRY_SECONDS, rng=_rng),
        getattr(error, "retry_after_seconds", None),
        max_seconds=settings.ALBUMART_MAX_PAUSE_SECONDS,
    )
    claim.release(
        status=Artwork.Status.WAITING,
        next_attempt_at=now + timedelta(seconds=delay),
        dispatched_at=None,
        wait_reason=f"Attempt {claim.attempt} failed: {error.message}"[:300],
        error_code=error.code,
        error_message=error.message[:500],
    )
    log.warning("artwork retry scheduled", extra={"artwork_id": claim.artwork_pk, "code": error.code})


def finish(claim: Claim, status: str, error: RegistryError, *, now: datetime) -> None:
    """Finish the request without artwork: rejected, not found or failed, with the error."""
    claim.release(
        status=status,
        finished_at=now,
        wait_reason="",
        error_code=error.code,
        error_message=error.message[:500],
    )
    log.info("artwork not stored", extra={"artwork_id": claim.artwork_pk, "status": status, "code": error.code})


def release_stale_claims(now: datetime) -> int:
    """Release claims whose lease expired. The request is queued again, or finished as failed after its last attempt."""
    released = 0
    stale = Artwork.objects.processing().filter(
        leases.lease_expired_q(now, max_seconds=2 * settings.ALBUMART_LEASE_SECONDS, fields=_LEASE_FIELDS)
    )
    for pk, token, attempts in list(stale.values_list("pk", "claim", "attempts")):
        ArtworkStep.objects.filter(artwork=pk, outcome=ArtworkStep.Outcome.RUNNING).update(
            outcome=ArtworkStep.Outcome.DIED
        )
        try:
            schedule_retry(Claim(pk, token, attempts), _WORKER_LOST, now=now)
        except ClaimLost:
            continue  # the worker has finished it meanwhile
        released += 1
        log.warning("stale claim released", extra={"artwork_id": pk, "attempt": attempts})
    return released


class WorkerLost(RegistryError):
    """The worker that claimed the request stopped without finishing it."""

    code = "worker_died"


_WORKER_LOST = WorkerLost("The worker stopped while it processed this artwork")
