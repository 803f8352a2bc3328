"""Carry a run out here and now, in the process of whoever asked; where a worker has it, look on."""

import time
from collections.abc import Callable

from backfills import run_control, states
from backfills.engine.run_context import context_for_run
from backfills.engine.runner import Clock, acquire_lease, release_lease, run_batches
from backfills.models import BackfillRun
from backfills.throttle import Throttle

_LOOK_SECONDS = 0.5
_LOOKS_AT_STOPPING = 20


def run_in_foreground(
    run_pk: int, *, clock: Clock, on_rows: Callable[[int], None], on_wait: Callable[[str], None]
) -> BackfillRun:
    """Until the run is over or stopped by somebody; the run as it is then. `on_wait` hears why nothing moves, once
    for each reason. Raises Unavailable when the database stays away."""
    run = BackfillRun.objects.get(pk=run_pk)
    job, throttle = context_for_run(run), Throttle(run.baseline_p95_ms)
    told = ""
    seen = _seen(run)
    while run.state in states.ACTIVE:
        mark = acquire_lease(job, now=clock())
        if mark is None:
            reason = "Another worker carries the run on; looking on"
        else:
            try:
                run_batches(
                    job,
                    mark,
                    clock=clock,
                    throttle_reason=throttle.throttle_reason,
                    on_step=lambda step: on_rows(step.rows),
                )
            finally:
                release_lease(job, mark)
            reason = throttle.throttle_reason()
        run = BackfillRun.objects.get(pk=run_pk)
        if mark is None:
            on_rows(_seen(run) - seen)
        seen = _seen(run)
        if run.state in states.ACTIVE:
            if reason and reason != told:
                on_wait(reason)
                told = reason
            time.sleep(_LOOK_SECONDS)
    return run


def undo_in_foreground(run_pk: int, *, by: str, clock: Clock) -> BackfillRun:
    """From whatever state: a run under way is stopped first, a finalised one reopened. For an emergency.

    Raises ColumnLocked while another run works on the same columns: the newest run is undone first.
    """
    run = BackfillRun.objects.get(pk=run_pk)
    if run.state == states.RUNNING:
        run = run_control.pause(run_pk, by=by, now=clock())
    for _ in range(_LOOKS_AT_STOPPING):
        if run.state not in (states.PAUSING, states.CANCELLING):
            break
        time.sleep(_LOOK_SECONDS)
        run = BackfillRun.objects.get(pk=run_pk)
    else:
        run = run_control.force_unlock(run_pk, by=by, now=clock())
    if run.state == states.FINALISED:
        run_control.reopen(run_pk, by=by, now=clock())
    if run.state != states.UNDOING:
        run_control.begin_undo(run_pk, by=by, now=clock())
    return run_in_foreground(run_pk, clock=clock, on_rows=lambda rows: None, on_wait=lambda reason: None)


def _seen(run: BackfillRun) -> int:
    return run.restored_rows + run.conflict_rows if run.state in (states.UNDOING, states.UNDONE) else run.rows_done
