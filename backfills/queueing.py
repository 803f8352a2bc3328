"""Runs for workers: the row is written first, the task is sent on commit."""

from datetime import datetime
from functools import partial
from typing import Any

from django.apps import apps
from django.db import transaction

from backfills import run_control, tasks
from backfills.engine.run_context import context_for_run
from backfills.engine.run_setup import create_run_context, start_run
from backfills.models import BackfillRun
from backfills.rules import get_rule
from common.task_dispatch import dispatch_best_effort
from jobs import states
from jobs.errors import StalePlan
from jobs.throttle import measure_baseline
from jobs.transitions import lock_run


@transaction.atomic
def request_plan(rule_name: str, **run: Any) -> int:
    """Create a run whose plan a worker makes, and return its key. Arguments as for `create_run_context`."""
    context = create_run_context(get_rule(rule_name), apps, **run)
    transaction.on_commit(partial(dispatch_best_effort, tasks.plan_backfill, context.run_pk))
    return context.run_pk


@transaction.atomic
def recreate_plan(run_pk: int) -> None:
    """Delete the plan and make a new one. Does nothing for a run that has started."""
    planned = BackfillRun.objects.filter(pk=run_pk, state=states.PLANNED)
    if planned.update(plan=None, plan_hash="", planned_at=None, checked_rows=0, error=""):
        transaction.on_commit(partial(dispatch_best_effort, tasks.plan_backfill, run_pk))


@transaction.atomic
def start(run_pk: int, *, by: str, now: datetime, plan_hash: str | None) -> None:
    """Let a worker check the rows against the plan and start the run; an error of the check is shown by the run.

    Raises TransitionNotAllowed; StalePlan if the run has another plan than `plan_hash`, or one of older code.
    """
    run = lock_run(run_control.CONTROL.models, run_control.CONTROL.get_run(run_pk).pk)
    states.validate_transition(run.state, states.RUNNING)
    if plan_hash:
        if run.plan_hash != plan_hash:
            raise StalePlan("The run has another plan. Check it and start the run again.")
        if error := context_for_run(run).operation.version_error(run):
            raise StalePlan(error)
    run.start_requested_at, run.start_requested_by, run.checked_rows, run.error = now, by, 0, ""
    run.save(update_fields=["start_requested_at", "start_requested_by", "checked_rows", "error"])
    transaction.on_commit(partial(dispatch_best_effort, tasks.start_backfill, run_pk))


def start_here(run_pk: int, *, by: str, now: datetime, plan_hash: str | None = None) -> None:
    """Start the run in this process and let workers continue it. For commands: it checks all rows of the run."""
    context = context_for_run(run_control.CONTROL.get_run(run_pk))
    start_run(context, by=by, now=now, plan_hash=plan_hash, baseline_p95_ms=measure_baseline())
    dispatch_best_effort(tasks.continue_run, run_pk)


@transaction.atomic
def resume(run_pk: int, *, by: str, now: datetime) -> None:
    """Resume with a new baseline: the reads of the last minutes were measured without the run."""
    run_control.resume(run_pk, by=by, now=now, baseline_p95_ms=measure_baseline())
    transaction.on_commit(partial(dispatch_best_effort, tasks.continue_run, run_pk))


@transaction.atomic
def undo(run_pk: int, *, by: str, now: datetime) -> None:
    run_control.begin_undo(run_pk, by=by, now=now)
    transaction.on_commit(partial(dispatch_best_effort, tasks.continue_run, run_pk))


@transaction.atomic
def force_unlock(run_pk: int, *, by: str, now: datetime) -> None:
    run = run_control.force_unlock(run_pk, by=by, now=now)
    transaction.on_commit(partial(dispatch_best_effort, tasks.continue_run, run.pk))
