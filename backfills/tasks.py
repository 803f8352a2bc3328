"""Celery tasks of backfills. A run is a chain of short slices, so that it does not occupy a worker."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from backfills.engine.run_context import context_for_run
from backfills.engine.run_setup import plan_run
from backfills.models import BackfillRun
from backfills.run_control import CONTROL
from common.errors import RegistryError
from jobs.errors import TransitionNotAllowed
from jobs.worker import run_slice


@shared_task(soft_time_limit=120, time_limit=150)
def continue_run(run_id: int) -> None:
    delay_seconds = run_slice(CONTROL, run_id, clock=timezone.now)
    if delay_seconds is not None:
        continue_run.apply_async((run_id,), countdown=delay_seconds)


@shared_task(soft_time_limit=1800, time_limit=1830)
def plan_backfill(run_id: int) -> None:
    run = BackfillRun.objects.get(pk=run_id)
    try:
        plan_run(context_for_run(run), now=timezone.now())
    except TransitionNotAllowed:
        return  # the run was started or cancelled before this task began
    except RegistryError as error:
        BackfillRun.objects.filter(pk=run_id, planned_at=None).update(error=error.message[:500])


@shared_task
def requeue_stalled_runs() -> None:
    """Send runs again whose worker died or whose task was lost, and throttled runs that are due for a check."""
    now = timezone.now()
    for run_id in BackfillRun.objects.stalled(now).values_list("pk", flat=True):
        continue_run.delay(run_id)
    for run_id in BackfillRun.objects.unplanned(now - timedelta(minutes=2)).values_list("pk", flat=True):
        plan_backfill.delay(run_id)
