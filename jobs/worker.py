"""One slice of a run in a worker. The caller sends the next slice, so that no run occupies a worker for long."""

import contextlib
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError

from common.errors import Unavailable
from jobs.batches import BatchResult, run_next_batch
from jobs.errors import LeaseLost
from jobs.run_control import RunControl
from jobs.runner import Clock, acquire_lease, release_lease, run_batches
from jobs.throttle import Throttle

# The next slice is sent at once; the periodic task sends it again only after this many seconds more.
_MESSAGE_GRACE_SECONDS = 30


def run_slice(
    control: RunControl, run_pk: int, *, clock: Clock, run_batch: Callable[..., BatchResult] = run_next_batch
) -> float | None:
    """Run for JOBS_SLICE_SECONDS. Return the delay in seconds of the next slice; None if no slice is to be sent."""
    run = control.models.run.objects.get(pk=run_pk)
    context = control.context_for_run(run)
    token = acquire_lease(context, now=clock())
    if token is None:
        return None
    throttle = Throttle(run.baseline_p95_ms, control.models.global_pause)

    def throttle_reason() -> str:
        return throttle.throttle_reason() or context.operation.wait_reason()

    try:
        result = run_batches(
            context, token, clock=clock, throttle_reason=throttle_reason,
            seconds=settings.JOBS_SLICE_SECONDS, run_batch=run_batch,
        )  # fmt: skip
    except LeaseLost:
        return None
    except Unavailable as error:
        # The periodic task sends the run again when this lease has expired. The update may fail for the same reason.
        with contextlib.suppress(DatabaseError):
            control.models.run.objects.filter(pk=run_pk).update(wait_reason=error.message[:300])
        return None
    if result is not None:
        return None
    delay_seconds = settings.JOBS_THROTTLED_RETRY_SECONDS if throttle_reason() else 0
    next_check_at = clock() + timedelta(seconds=delay_seconds + _MESSAGE_GRACE_SECONDS)
    release_lease(context, token, next_check_at=next_check_at)
    return delay_seconds
