"""Runs that workers carry on: the row first, the message on commit."""

from datetime import datetime
from functools import partial
from typing import Any

from django.apps import apps
from django.db import transaction

from backfills import run_control, states, tasks
from backfills.engine.run_context import context_for_run
from backfills.engine.run_setup import create_run_context, start_run
from backfills.models import BackfillRun
from backfills.rules import get_rule
from backfills.throttle import measure_baseline
from common.errors import NotFound
from common.task_dispatch import dispatch_best_effort


@transaction.atomic
def request_plan(rule_name: str, **run: Any) -> int:
    """A planned run, whose plan a worker makes; its key. Arguments as of `create_run`."""
    job = create_run_context(get_rule(rule_name), apps, **run)
    transaction.on_commit(partial(dispatch_best_effort, tasks.plan_backfill, job.run_pk))
    return job.run_pk


@transaction.atomic
def recreate_plan(run_pk: int) -> None:
    """The plan is thrown away and made anew; nothing for a run that has begun."""
    planned = BackfillRun.objects.filter(pk=run_pk, state=states.PLANNED)
    if planned.update(plan=None, plan_hash="", planned_at=None, error=""):
        transaction.on_commit(partial(dispatch_best_effort, tasks.plan_backfill, run_pk))


def start(run_pk: int, *, by: str, now: datetime, plan_hash: str | None) -> None:
    run = BackfillRun.objects.filter(pk=run_pk).first()
    if run is None:
        raise NotFound(f"There is no run {run_pk}")
    start_run(context_for_run(run), by=by, now=now, plan_hash=plan_hash, baseline_p95_ms=measure_baseline())
    dispatch_best_effort(tasks.continue_run, run_pk)


@transaction.atomic
def resume(run_pk: int, *, by: str, now: datetime) -> None:
    """The limit of response times is measured anew: after a rest it says again what reads take without the run."""
    run_control.resume(run_pk, by=by, now=now, baseline_p95_ms=measure_baseline())
    transaction.on_commit(partial(dispatch_best_effort, tasks.continue_run, run_pk))


@transaction.atomic
def undo(run_pk: int, *, by: str, now: datetime) -> None:
    run_control.begin_undo(run_pk, by=by, now=now)
    transaction.on_commit(partial(dispatch_best_effort, tasks.continue_run, run_pk))


@transaction.atomic
def force(run_pk: int, *, by: str, now: datetime) -> None:
    run = run_control.force_unlock(run_pk, by=by, now=now)
    transaction.on_commit(partial(dispatch_best_effort, tasks.continue_run, run.pk))
