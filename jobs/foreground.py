"""Run in the calling process, or follow the worker that has the lease."""

import time
from collections.abc import Callable
from typing import Any

from jobs import states
from jobs.run_control import RunControl
from jobs.runner import Clock, acquire_lease, release_lease, run_batches
from jobs.selection import rows_done
from jobs.throttle import Throttle

_POLL_INTERVAL_SECONDS = 0.5
_MAX_STOP_POLLS = 20


def run_in_foreground(
    control: RunControl,
    run_pk: int,
    *,
    clock: Clock,
    on_rows: Callable[[int], None],
    on_wait: Callable[[str], None],
) -> Any:
    """Run until the run is over or stopped, and return it.

    If the operation must wait after its last row, return the running run: workers complete it.
    `on_wait` gets each new reason why the run waits. Raises Unavailable if the database stays unreachable.
    """
    run = control.get_run(run_pk)
    context, throttle = control.context_for_run(run), Throttle(run.baseline_p95_ms, control.models.global_pause)
    shown_reason = ""
    counted = _rows_processed(run)
    while run.state in states.ACTIVE:
        token = acquire_lease(context, now=clock())
        if token is None:
            reason = "Another worker has the run; following its progress"
        else:
            try:
                run_batches(
                    context,
                    token,
                    clock=clock,
                    throttle_reason=lambda: throttle.throttle_reason() or context.operation.wait_reason(),
                    on_batch=lambda result: on_rows(result.rows),
                )
            finally:
                release_lease(context, token)
            reason = throttle.throttle_reason()
            if not reason and (pending := context.operation.wait_reason()):
                on_wait(pending)
                return control.get_run(run_pk)
        run = control.get_run(run_pk)
        if token is None:
            on_rows(_rows_processed(run) - counted)
        counted = _rows_processed(run)
        if run.state in states.ACTIVE:
            if reason and reason != shown_reason:
                on_wait(reason)
                shown_reason = reason
            time.sleep(_POLL_INTERVAL_SECONDS)
    return run


def undo_in_foreground(control: RunControl, run_pk: int, *, by: str, clock: Clock) -> Any:
    """Undo a run from any state, for emergencies: an active run is stopped first, a finalised one reopened.

    Raises ColumnLocked while another run has locked the same columns: undo the newest run first.
    """
    run = control.get_run(run_pk)
    if run.state == states.RUNNING:
        run = control.pause(run_pk, by=by, now=clock())
    for _ in range(_MAX_STOP_POLLS):
        if run.state not in (states.PAUSING, states.CANCELLING):
            break
        time.sleep(_POLL_INTERVAL_SECONDS)
        run = control.get_run(run_pk)
    else:
        run = control.force_unlock(run_pk, by=by, now=clock())
    if run.state == states.FINALISED:
        control.reopen(run_pk, by=by, now=clock())
    if run.state != states.UNDOING:
        control.begin_undo(run_pk, by=by, now=clock())
    return run_in_foreground(control, run_pk, clock=clock, on_rows=lambda rows: None, on_wait=lambda reason: None)


def _rows_processed(run: Any) -> int:
    is_undo = run.state in (states.UNDOING, states.UNDONE)
    return run.restored_rows + run.conflict_rows if is_undo else rows_done(run)
