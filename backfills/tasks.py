"""What workers do for backfills. A run sends itself on in slices, so that no worker is lost to it for long."""

import contextlib
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from backfills.engine.run_context import context_for_run
from backfills.engine.run_setup import plan_run
from backfills.engine.runner import acquire_lease, release_lease, run_batches
from backfills.errors import LeaseLost, TransitionNotAllowed
from backfills.models import BackfillRun
from backfills.throttle import Throttle
from common.errors import RegistryError, Unavailable


@shared_task(soft_time_limit=120, time_limit=150)
def continue_run(run_id: int) -> None:
    run = BackfillRun.objects.get(pk=run_id)
    job = context_for_run(run)
    mark = acquire_lease(job, now=timezone.now())
    if mark is None:
        return
    throttle = Throttle(run.baseline_p95_ms)
    try:
        step = run_batches(
            job,
            mark,
            clock=timezone.now,
            throttle_reason=throttle.throttle_reason,
            seconds=settings.BACKFILLS_SLICE_SECONDS,
        )
    except LeaseLost:
        return  # by force
    except Unavailable as error:
        # The clock sends the run again when this hold has run out. What keeps it may keep this from being said.
        with contextlib.suppress(DatabaseError):
            BackfillRun.objects.filter(pk=run_id).update(wait_reason=error.message[:300])
        return
    if step is None:
        wait_seconds = settings.BACKFILLS_HOLD_SECONDS if throttle.throttle_reason() else 0
        release_lease(job, mark, next_check_at=timezone.now() + timedelta(seconds=wait_seconds + 30))
        continue_run.apply_async((run_id,), countdown=wait_seconds)


@shared_task(soft_time_limit=1800, time_limit=1830)
def plan_backfill(run_id: int) -> None:
    run = BackfillRun.objects.get(pk=run_id)
    try:
        plan_run(context_for_run(run), now=timezone.now())
    except TransitionNotAllowed:
        return  # started or cancelled meanwhile
    except RegistryError as error:
        BackfillRun.objects.filter(pk=run_id, planned_at=None).update(error=error.message[:500])


@shared_task
def requeue_stalled_runs() -> None:
    """Runs whose worker died, whose message was lost, or whose hold may be over."""
    now = timezone.now()
    for run_id in BackfillRun.objects.stalled(now).values_list("pk", flat=True):
        continue_run.delay(run_id)
    for run_id in BackfillRun.objects.unplanned(now - timedelta(minutes=2)).values_list("pk", flat=True):
        plan_backfill.delay(run_id)
