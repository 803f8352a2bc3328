"""Runs inside a data migration: `fill` forwards, `take_back` as its reverse. `apps` are the migration's own.

The migration is not atomic, so that batches commit one by one; migrated again after a break, it goes on where it was.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from backfills import states
from backfills.engine.run_context import RunContext, context_for_rule
from backfills.engine.run_setup import create_run_context, start_run
from backfills.engine.runner import run_to_completion
from backfills.engine.transitions import lock_run, transition
from backfills.errors import ColumnLocked, LeaseLost
from backfills.rules import Rule

BY_MIGRATION = "migrate"
_REASON = "Legacy rows filled by a migration"


def run_in_migration(apps: Any, rule: Rule, *, max_rows: int, say: Callable[[str], None]) -> None:
    """Nothing where no row is concerned, as after an operator's run. More than `max_rows` are left to the command; so
    are columns that another run holds. Neither stops the migration."""
    nowhere = context_for_rule(rule, 0, apps)
    begun = _runs(nowhere, (states.PLANNED, states.RUNNING, states.PAUSED, states.FAILED)).first()
    rows = rule.filter_queryset(nowhere.model._base_manager.all(), rule.clean_parameters({})).count()
    if begun is None and not rows:
        return
    if begun is None and rows > max_rows:
        say(f"{rule.name}: {rows} rows are too many for a migration (limit {max_rows}); run `backfill run {rule.name}`")
        return
    try:
        job = context_for_rule(rule, begun.pk, apps) if begun else _new_job(apps, rule)
        _set_going(job)
        step = run_to_completion(job, clock=timezone.now)
    except (ColumnLocked, LeaseLost) as refusal:
        say(f"{rule.name}: left alone. {refusal.message}")
        return
    run = job.tables.run.objects.get(pk=job.run_pk)
    say(f"{rule.name}: run {run.pk} {step.state}, {run.changed_rows} rows filled, {run.failed_rows} parked")


def undo_in_migration(apps: Any, rule: Rule, *, say: Callable[[str], None]) -> None:
    """Undo what migrations filled, the newest run first. Values that people changed since stay."""
    nowhere = context_for_rule(rule, 0, apps)
    for run in _runs(nowhere, tuple(set(states.STATES) - {states.UNDONE})).order_by("-pk"):
        job = context_for_rule(rule, run.pk, apps)
        if _set_back(job) == states.UNDOING:
            run_to_completion(job, clock=timezone.now)
            run.refresh_from_db()
            say(f"{rule.name}: run {run.pk} undone, {run.restored_rows} values, {run.conflict_rows} left to people")


def _runs(job: RunContext, wanted: tuple[str, ...]) -> Any:
    return job.tables.run.objects.filter(rule_name=job.rule.name, requested_by=BY_MIGRATION, state__in=wanted)


def _new_job(apps: Any, rule: Rule) -> RunContext:
    return create_run_context(rule, apps, parameters={}, by=BY_MIGRATION, reason=_REASON, now=timezone.now())


def _set_going(job: RunContext) -> None:
    state = job.tables.run.objects.values_list("state", flat=True).get(pk=job.run_pk)
    if state == states.PLANNED:
        start_run(job, by=BY_MIGRATION, now=timezone.now())
    elif state != states.RUNNING:
        _walk(job, states.RUNNING)


def _set_back(job: RunContext) -> str:
    """Through whatever states lie between to undoing; a run that never began is cancelled."""
    run = job.tables.run.objects.get(pk=job.run_pk)
    if run.state == states.CANCELLED and not job.tables.change.objects.filter(run_id=run.pk).exists():
        return run.state
    way = {
        states.PLANNED: [states.CANCELLED],
        states.RUNNING: [states.PAUSED, states.UNDOING],
        states.PAUSING: [states.PAUSED, states.UNDOING],
        states.CANCELLING: [states.CANCELLED, states.UNDOING],
        states.FINALISED: [states.FINISHED, states.UNDOING],
        states.UNDOING: [],
    }.get(run.state, [states.UNDOING])
    for to in way:
        _walk(job, to)
    return [run.state, *way][-1]


@transaction.atomic
def _walk(job: RunContext, to: str) -> None:
    run = lock_run(job.tables, job.run_pk)
    transition(job.tables, run, to, now=timezone.now(), actor=BY_MIGRATION, text=f"{to} by a migration", error="")
