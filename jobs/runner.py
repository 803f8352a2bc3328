"""Carry a run on, batch after batch: one worker at a time, resting and holding as it must."""

import logging
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import InterfaceError, OperationalError, connection, transaction

from backfills.engine.batches import BatchResult, run_next_batch
from backfills.engine.run_context import RunContext
from backfills.engine.transitions import lease_expired_q, lease_expiry, lock_run, mark_failed
from backfills.errors import LeaseLost
from backfills.states import ACTIVE, RUNNING
from common.errors import RegistryError, Unavailable

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
_MAX_REST_SECONDS = 4.0  # a pause shall take effect within 5 s
_RECONNECTS = 6


def acquire_lease(job: RunContext, *, now: datetime) -> uuid.UUID | None:
    """The mark of the hold; None where there is nothing to do or another worker holds the run."""
    mark = uuid.uuid4()
    free = job.tables.run.objects.filter(lease_expired_q(now), pk=job.run_pk, state__in=ACTIVE)
    return mark if free.update(worker=mark, lease_expires_at=lease_expiry(now)) else None


def release_lease(job: RunContext, mark: uuid.UUID, *, next_check_at: datetime | None = None) -> None:
    held = job.tables.run.objects.filter(pk=job.run_pk, worker=mark)
    held.update(worker=None, lease_expires_at=None, next_check_at=next_check_at)


def record_throttled(job: RunContext, mark: uuid.UUID, reason: str, *, now: datetime) -> None:
    held = job.tables.run.objects.filter(pk=job.run_pk, worker=mark)
    held.update(wait_reason=reason[:300], lease_expires_at=lease_expiry(now))


def run_batches(
    job: RunContext,
    mark: uuid.UUID,
    *,
    clock: Clock,
    throttle_reason: Callable[[], str],
    on_step: Callable[[BatchResult], None] = lambda step: None,
    seconds: float | None = None,
) -> BatchResult | None:
    """Batches until the run is over, `seconds` have passed or something holds it; None in the last two cases.

    `throttle_reason` says why not to go on, "" for no reason; it is not asked while the run is being stopped. Raises LeaseLost
    when another worker was given the run, Unavailable when the database stays away.
    """
    began = time.monotonic()
    while seconds is None or time.monotonic() - began < seconds:
        step = _with_reconnect(job, partial(_run_one_batch, job, mark, clock, throttle_reason), clock)
        if step is None:
            return None
        on_step(step)
        if step.is_over:
            release_lease(job, mark)
            return step
    return None


def _run_one_batch(
    job: RunContext, mark: uuid.UUID, clock: Clock, throttle_reason: Callable[[], str]
) -> BatchResult | None:
    state, ratio = job.tables.run.objects.values_list("state", "sleep_ratio").get(pk=job.run_pk)
    if state == RUNNING and (reason := throttle_reason()):
        record_throttled(job, mark, reason, now=clock())
        return None
    step = run_next_batch(job, now=clock(), mark=mark)
    time.sleep(min(step.seconds * ratio, _MAX_REST_SECONDS))
    return step


def _with_reconnect(job: RunContext, turn: Callable[[], BatchResult | None], now: Clock) -> BatchResult | None:
    """A database that restarts is waited for; the batch that it lost begins anew. Any other error ends the run."""
    reason = ""
    for attempt in range(_RECONNECTS):
        try:
            return turn()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block:
                raise
            log.warning("backfill lost the database", extra={"run": job.run_pk, "attempt": attempt}, exc_info=True)
            reason = str(error).strip()
            connection.close()
            time.sleep(min(0.5 * 2**attempt, 10))
        except RegistryError:
            raise
        except Exception as error:
            # Neither a row nor the database: the rule's own query, or a defect. Tried again it would end the same way.
            log.exception("backfill stopped by an error", extra={"run": job.run_pk})
            return _fail_run(job, f"{type(error).__name__}: {error}", now=now())
    raise Unavailable(f"The database refuses: {reason}"[:300])


@transaction.atomic
def _fail_run(job: RunContext, text: str, *, now: datetime) -> BatchResult:
    run = lock_run(job.tables, job.run_pk)
    if run.state == RUNNING:
        mark_failed(job.tables, run, text, now=now)
        return BatchResult(run.state)
    # An undoing has no other state to end in: it stands still, says why, and `force` sends it on.
    job.tables.run.objects.filter(pk=run.pk).update(wait_reason=text[:300])
    raise Unavailable(text[:300])


def run_to_completion(job: RunContext, *, clock: Clock) -> BatchResult:
    """For a migration: no holds, nobody to wait for. Raises LeaseLost where a worker has the run already."""
    mark = acquire_lease(job, now=clock())
    if mark is None:
        raise LeaseLost(f"Run {job.run_pk} is held by another worker, or has nothing to do")
    step = run_batches(job, mark, clock=clock, throttle_reason=lambda: "")
    if step is None:
        raise AssertionError("a run without holds and limits ends with a step")
    return step
