"""Run batch after batch. One worker at a time has the lease of a run."""

import logging
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from common import leases
from common.errors import RegistryError, Unavailable
from jobs.batches import BatchResult, run_next_batch
from jobs.errors import LeaseLost
from jobs.run_context import RunContext
from jobs.states import ACTIVE, RUNNING
from jobs.transitions import lock_run, mark_failed

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
_MAX_SLEEP_SECONDS = 4.0  # a pause shall take effect within 5 s


def acquire_lease(context: RunContext, *, now: datetime) -> uuid.UUID | None:
    """Return the token of the lease; None if another worker has it or the run has no work left."""
    rows = context.models.run.objects.filter(pk=context.run_pk, state__in=ACTIVE)
    return leases.acquire_lease(rows, now=now, seconds=settings.JOBS_LEASE_SECONDS)


def release_lease(context: RunContext, token: uuid.UUID, *, next_check_at: datetime | None = None) -> None:
    rows = context.models.run.objects.filter(pk=context.run_pk)
    leases.release_lease(rows, token, next_check_at=next_check_at)


def record_throttled(context: RunContext, token: uuid.UUID, reason: str, *, now: datetime) -> None:
    rows = context.models.run.objects.filter(pk=context.run_pk)
    leases.extend_lease(rows, token, now=now, seconds=settings.JOBS_LEASE_SECONDS, wait_reason=reason[:300])


def run_batches(
    context: RunContext,
    token: uuid.UUID,
    *,
    clock: Clock,
    throttle_reason: Callable[[], str],
    on_batch: Callable[[BatchResult], None] = lambda result: None,
    seconds: float | None = None,
    run_batch: Callable[..., BatchResult] = run_next_batch,
) -> BatchResult | None:
    """Run batches until the run is over. Return None if it was throttled or `seconds` have passed before.

    `throttle_reason` returns why the run must wait, or ""; it is not called while the run is being stopped or undone.
    Raises LeaseLost if another worker has the run now, Unavailable if the database stays unreachable.
    """
    started = time.monotonic()
    while seconds is None or time.monotonic() - started < seconds:
        run_one = partial(_run_one_batch, context, token, clock, throttle_reason, run_batch)
        result = _with_reconnect(context, run_one, clock)
        if result is None:
            return None
        on_batch(result)
        if result.is_over:
            release_lease(context, token)
            return result
    return None


def _run_one_batch(
    context: RunContext,
    token: uuid.UUID,
    clock: Clock,
    throttle_reason: Callable[[], str],
    run_batch: Callable[..., BatchResult],
) -> BatchResult | None:
    state, ratio = context.models.run.objects.values_list("state", "sleep_ratio").get(pk=context.run_pk)
    if state == RUNNING and (reason := throttle_reason()):
        record_throttled(context, token, reason, now=clock())
        return None
    result = run_batch(context, now=clock(), token=token)
    time.sleep(min(result.seconds * ratio, _MAX_SLEEP_SECONDS))
    return result


def _with_reconnect(context: RunContext, run_one: Callable[[], BatchResult | None], clock: Clock) -> BatchResult | None:
    """Repeat the batch after a lost connection. Any other error fails the run."""
    reason = ""
    for attempt in range(settings.JOBS_MAX_RECONNECTS):
        try:
            return run_one()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block:
                raise
            log.warning("database connection lost", extra={"run": context.run_pk, "attempt": attempt}, exc_info=True)
            reason = str(error).strip()
            connection.close()
            time.sleep(min(0.5 * 2**attempt, 10))
        except RegistryError:
            raise
        except Exception as error:
            # A defect of the operation, not of a row or of the database: a retry would fail in the same way.
            log.exception("run stopped by an error", extra={"run": context.run_pk})
            return _fail_run(context, f"{type(error).__name__}: {error}", now=clock())
    raise Unavailable(f"The database is unavailable: {reason}"[:300])


@transaction.atomic
def _fail_run(context: RunContext, error: str, *, now: datetime) -> BatchResult:
    run = lock_run(context.models, context.run_pk)
    if run.state == RUNNING:
        mark_failed(context.models, run, error, now=now)
        return BatchResult(run.state)
    # An undoing run has no failed state. It keeps its state and shows the reason; Force unlock continues it.
    context.models.run.objects.filter(pk=run.pk).update(wait_reason=error[:300])
    raise Unavailable(error[:300])


def run_to_completion(context: RunContext, *, clock: Clock) -> BatchResult:
    """Run without throttle, for migrations. Raises LeaseLost if a worker has the lease."""
    token = acquire_lease(context, now=clock())
    if token is None:
        raise LeaseLost(f"Another worker has the lease of run {context.run_pk}, or the run has no work left")
    result = run_batches(context, token, clock=clock, throttle_reason=lambda: "")
    if result is None:
        raise AssertionError("a run without throttle and time limit ends with a result")
    return result
