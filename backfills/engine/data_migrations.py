"""Runs inside a data migration: `run_in_migration` forwards, `undo_in_migration` as its reverse.

`apps` is the registry of the migration. The migration is not atomic, so that each batch commits; a migration that was
interrupted continues where it stopped.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from backfills.engine.run_context import context_for_rule
from backfills.engine.run_setup import create_run_context, start_run
from backfills.rules import Rule
from jobs import states
from jobs.errors import ColumnLocked, LeaseLost
from jobs.run_context import RunContext
from jobs.runner import run_to_completion
from jobs.transitions import lock_run, transition

BY_MIGRATION = "migrate"
_REASON = "Legacy rows filled by a migration"


def run_in_migration(apps: Any, rule: Rule, *, max_rows: int, write: Callable[[str], None]) -> None:
    """Fill at most `max_rows` rows.

    If there are more, or another run has locked the columns, print a note with `write` and skip; the migration still
    succeeds. If no row matches, as after an operator's run, do nothing.
    """
    no_run = context_for_rule(rule, 0, apps)
    started = _runs(no_run, (states.PLANNED, states.RUNNING, states.PAUSED, states.FAILED)).first()
    all_rows = no_run.operation.model._base_manager.all()
    rows = rule.filter_queryset(all_rows, rule.clean_parameters({})).count()
    if started is None and not rows:
        return
    if started is None and rows > max_rows:
        write(
            f"{rule.name}: {rows} rows are too many for a migration (limit {max_rows}). Run `backfill run {rule.name}`."
        )
        return
    try:
        context = context_for_rule(rule, started.pk, apps) if started else _create_run(apps, rule)
        _start_or_resume(context)
        result = run_to_completion(context, clock=timezone.now)
    except (ColumnLocked, LeaseLost) as error:
        write(f"{rule.name}: skipped. {error.message}")
        return
    run = context.models.run.objects.get(pk=context.run_pk)
    write(f"{rule.name}: run {run.pk} {result.state}, {run.changed_rows} rows filled, {run.failed_rows} failed")


def undo_in_migration(apps: Any, rule: Rule, *, write: Callable[[str], None]) -> int:
    """Undo the runs of migrations, the newest first, and return their number. Values that users changed since stay."""
    no_run = context_for_rule(rule, 0, apps)
    undone = 0
    for run in _runs(no_run, tuple(set(states.STATES) - {states.UNDONE})).order_by("-pk"):
        context = context_for_rule(rule, run.pk, apps)
        if _prepare_undo(context) == states.UNDOING:
            run_to_completion(context, clock=timezone.now)
            run.refresh_from_db()
            write(
                f"{rule.name}: run {run.pk} undone, {run.restored_rows} values restored, "
                f"{run.conflict_rows} changed by users and not restored"
            )
            undone += 1
    return undone


def _runs(context: RunContext, in_states: tuple[str, ...]) -> Any:
    rule = context.operation.rule
    return context.models.run.objects.filter(rule_name=rule.name, requested_by=BY_MIGRATION, state__in=in_states)


def _create_run(apps: Any, rule: Rule) -> RunContext:
    return create_run_context(rule, apps, parameters={}, by=BY_MIGRATION, reason=_REASON, now=timezone.now())


def _start_or_resume(context: RunContext) -> None:
    state = context.models.run.objects.values_list("state", flat=True).get(pk=context.run_pk)
    if state == states.PLANNED:
        start_run(context, by=BY_MIGRATION, now=timezone.now())
    elif state != states.RUNNING:
        _transition(context, states.RUNNING)


def _prepare_undo(context: RunContext) -> str:
    """Bring the run to undoing through the states between. A run that never started is cancelled."""
    run = context.models.run.objects.get(pk=context.run_pk)
    if run.state == states.CANCELLED and not context.models.change.objects.filter(run_id=run.pk).exists():
        return run.state
    steps = {
        states.PLANNED: [states.CANCELLED],
        states.RUNNING: [states.PAUSED, states.UNDOING],
        states.PAUSING: [states.PAUSED, states.UNDOING],
        states.CANCELLING: [states.CANCELLED, states.UNDOING],
        states.FINALISED: [states.FINISHED, states.UNDOING],
        states.UNDOING: [],
    }.get(run.state, [states.UNDOING])
    for to in steps:
        _transition(context, to)
    return [run.state, *steps][-1]


@transaction.atomic
def _transition(context: RunContext, to: str) -> None:
    run = lock_run(context.models, context.run_pk)
    message = f"{to.capitalize()} by a migration"
    transition(context.models, run, to, now=timezone.now(), actor=BY_MIGRATION, message=message, error="")
