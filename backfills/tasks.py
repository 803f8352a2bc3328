"""Celery tasks of backfills. A run is a chain of short slices, so that it does not occupy a worker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from backfills.engine.run_context import context_for_run
from backfills.engine.run_setup import plan_run, start_run
from backfills.models import BackfillRun
from backfills.run_control import CONTROL
from common import leases
from common.errors import RegistryError
from common.task_dispatch import dispatch_best_effort
from jobs import states
from jobs.errors import TransitionNotAllowed
from jobs.throttle import measure_baseline
from jobs.worker import run_slice


@shared_task(soft_time_limit=120, time_limit=150)
def continue_run(run_id: int) -> None:
    delay_seconds = run_slice(CONTROL, run_id, clock=timezone.now)
    if delay_seconds is not None:
        continue_run.apply_async((run_id,), countdown=delay_seconds)


@shared_task(soft_time_limit=1800, time_limit=1830)
def plan_backfill(run_id: int) -> None:
    run = BackfillRun.objects.get(pk=run_id)
    with _checking(run) as on_progress:
        if on_progress is not None:
            BackfillRun.objects.filter(pk=run_id).update(total_rows=context_for_run(run).operation.select(run).count())
            plan_run(context_for_run(run), now=timezone.now(), on_progress=on_progress)


@shared_task(soft_time_limit=1800, time_limit=1830)
def start_backfill(run_id: int) -> None:
    """Start a run whose start was requested, unless its rows no longer give the plan."""
    run = BackfillRun.objects.get(pk=run_id)
    with _checking(run) as on_progress:
        if on_progress is None or not BackfillRun.objects.to_start().filter(pk=run_id).exists():
            return
        start_run(
            context_for_run(run), by=run.start_requested_by, now=timezone.now(), plan_hash=run.plan_hash or None,
            baseline_p95_ms=measure_baseline(), on_progress=on_progress,
        )  # fmt: skip
    if BackfillRun.objects.active().filter(pk=run_id).exists():
        dispatch_best_effort(continue_run, run_id)


@contextmanager
def _checking(run: BackfillRun) -> Iterator[Callable[[int], None] | None]:
    """Lease a planned run and yield a function that counts checked rows; yield None if another worker checks it.

    A RegistryError of the block becomes the error of the run, which waits for its users again.
    """
    runs = BackfillRun.objects.filter(pk=run.pk)
    seconds = settings.JOBS_LEASE_SECONDS
    token = leases.acquire_lease(runs.filter(state=states.PLANNED), now=timezone.now(), seconds=seconds, checked_rows=0)
    if token is None:
        yield None
        return

    def count(rows: int) -> None:
        leases.extend_lease(runs, token, now=timezone.now(), seconds=seconds, checked_rows=F("checked_rows") + rows)

    try:
        yield count
    except TransitionNotAllowed:
        pass  # the run was started or cancelled meanwhile
    except RegistryError as error:
        runs.filter(state=states.PLANNED).update(error=error.message[:500], start_requested_at=None)
    finally:
        leases.release_lease(runs, token)


@shared_task
def requeue_stalled_runs() -> None:
    """Send runs again whose worker died or whose task was lost, and throttled runs that are due for a check."""
    now = timezone.now()
    since = now - timedelta(minutes=2)
    for run_id in BackfillRun.objects.stalled(now).values_list("pk", flat=True):
        continue_run.delay(run_id)
    for run_id in BackfillRun.objects.unplanned(now, since=since).values_list("pk", flat=True):
        plan_backfill.delay(run_id)
    for run_id in BackfillRun.objects.unstarted(now, since=since).values_list("pk", flat=True):
        start_backfill.delay(run_id)
