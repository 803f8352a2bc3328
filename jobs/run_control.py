"""What people ask of a run: pause, resume, cancel, force, adjust, undo, finalise, reopen, retry a parked row, hold all.

Each verb locks the run, checks the move and leaves an event. A batch holds the same lock until it is committed, so
that no verb ever finds half a batch. Whoever needs a worker for it goes by `queueing`.
"""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction

from backfills import states
from backfills.engine.ledger import write_collecting_errors
from backfills.engine.run_context import RunContext, context_for_run
from backfills.engine.run_setup import clean_reason, validate_pace
from backfills.engine.selection import evaluate_rule, iter_chunks, read, select_rows
from backfills.engine.transitions import has_active_lease, record_event, transition
from backfills.errors import TransitionNotAllowed
from backfills.models import BackfillGlobalPause, BackfillRowError, BackfillRun
from common.errors import Conflict, NotFound

log = logging.getLogger(__name__)

_LEFT_OVER_SHOWN = 5


def _locked(run_pk: int) -> tuple[RunContext, BackfillRun]:
    run = BackfillRun.objects.select_for_update().filter(pk=run_pk).first()
    if run is None:
        raise NotFound(f"There is no run {run_pk}")
    return context_for_run(run), run


@transaction.atomic
def pause(run_pk: int, *, by: str, now: datetime) -> BackfillRun:
    """At once where no worker holds the run, else after its batch."""
    job, run = _locked(run_pk)
    is_held = has_active_lease(run, now)
    transition(job.tables, run, states.PAUSING if is_held else states.PAUSED, now=now, actor=by, text="Pause asked for")
    return run


@transaction.atomic
def cancel(run_pk: int, *, by: str, now: datetime) -> BackfillRun:
    """Like `pause`, for good. What was written stays until the run is undone."""
    job, run = _locked(run_pk)
    is_held = run.state in (states.RUNNING, states.PAUSING) and has_active_lease(run, now)
    to = states.CANCELLING if is_held else states.CANCELLED
    transition(
        job.tables, run, to, now=now, actor=by, text="Cancelling asked for", finished_at=None if is_held else now
    )
    return run


@transaction.atomic
def resume(run_pk: int, *, by: str, now: datetime, baseline_p95_ms: float | None = None) -> BackfillRun:
    job, run = _locked(run_pk)
    if run.state == states.PLANNED:
        raise TransitionNotAllowed("The run has not begun: start it")
    if run.state == states.FINALISED:
        raise TransitionNotAllowed("The run is finalised and has nothing left to do")
    if run.state == states.RUNNING and not has_active_lease(run, now):
        return run  # its worker went; whoever asks carries it on
    transition(
        job.tables,
        run,
        states.RUNNING,
        now=now,
        actor=by,
        text="Resumed",
        error="",
        finished_at=None,
        baseline_p95_ms=baseline_p95_ms or run.baseline_p95_ms,
    )
    return run


@transaction.atomic
def begin_undo(run_pk: int, *, by: str, now: datetime) -> BackfillRun:
    """Raises TransitionNotAllowed while the run goes on (pause or cancel it first), ColumnLocked while another one does."""
    job, run = _locked(run_pk)
    transition(job.tables, run, states.UNDOING, now=now, actor=by, text="Undoing asked for", error="", finished_at=None)
    return run


@transaction.atomic
def force_unlock(run_pk: int, *, by: str, now: datetime) -> BackfillRun:
    """The way out of a run whose worker is gone or hangs: a stop that was asked for is made, else the hold is taken
    from the worker, which notices at its next batch and leaves."""
    job, run = _locked(run_pk)
    if run.state not in states.ACTIVE:
        raise TransitionNotAllowed(f"The run is {run.state} and does not wait for a worker")
    run.worker = run.lease_expires_at = run.next_check_at = None
    if (settled := states.stop_target(run.state)) != run.state:
        finished_at = now if settled == states.CANCELLED else None
        transition(job.tables, run, settled, now=now, actor=by, text=f"{settled} by force", finished_at=finished_at)
    else:
        run.wait_reason = ""
        run.save()
        record_event(job.tables, run.pk, "forced", "Taken from its worker and sent on", now=now, actor=by)
    return run


@transaction.atomic
def adjust(run_pk: int, *, batch_size: int, sleep_ratio: float, by: str, now: datetime) -> BackfillRun:
    """From the next batch on. Raises Invalid outside the bounds."""
    job, run = _locked(run_pk)
    if run.state in (states.UNDONE, states.FINALISED):
        raise TransitionNotAllowed(f"The run is {run.state}; there is no next batch")
    validate_pace(batch_size=batch_size, sleep_ratio=sleep_ratio, run=run)
    text = f"{run.batch_size} rows a batch, rest {run.sleep_ratio:g} -> {batch_size} rows, rest {sleep_ratio:g}"
    run.batch_size, run.sleep_ratio = batch_size, sleep_ratio
    run.save(update_fields=["batch_size", "sleep_ratio"])
    record_event(job.tables, run.pk, "adjusted", text, now=now, actor=by)
    return run


@transaction.atomic
def finalise(run_pk: int, *, by: str, now: datetime) -> BackfillRun:
    """From now on the rest of the system may count on the values. Raises TransitionNotAllowed while it may not."""
    job, run = _locked(run_pk)
    states.validate_transition(run.state, states.FINALISED)
    if reasons := finalise_errors(job, run):
        raise TransitionNotAllowed("; ".join(reasons))
    transition(job.tables, run, states.FINALISED, now=now, actor=by, text="Finalised")
    return run


def finalise_errors(job: RunContext, run: BackfillRun) -> list[str]:
    """Parked rows, and the post-check: no row of the run's range is left that the rule would still change.

    A value that the run wrote and a person took away since is that person's decision and counts as done.
    """
    reasons = []
    parked_pks = set(run.parked.open().values_list("row_pk", flat=True))
    if parked_pks:
        reasons.append(f"{len(parked_pks)} rows are parked: mend and retry them")
    left: list[int] = []
    for rows in iter_chunks(job, run):
        wishes = evaluate_rule(job, run, rows)
        pks = {change.pk for change in wishes.changes} | {pk for pk, _ in wishes.bad}
        left += pks - parked_pks - set(run.changes.filter(row_pk__in=pks).values_list("row_pk", flat=True))
    if left:
        shown = ", ".join(map(str, sorted(left)[:_LEFT_OVER_SHOWN]))
        reasons.append(f"{len(left)} rows still lack their value, such as {shown}")
    return reasons


@transaction.atomic
def reopen(run_pk: int, *, by: str, now: datetime) -> BackfillRun:
    """A finalised run becomes finished again, so that it can be undone."""
    job, run = _locked(run_pk)
    if run.state != states.FINALISED:
        raise TransitionNotAllowed(f"The run is {run.state}; only a finalised one is reopened")
    transition(job.tables, run, states.FINISHED, now=now, actor=by, text="Reopened")
    return run


@transaction.atomic
def retry_row(parked_pk: int, *, by: str, now: datetime) -> BackfillRowError:
    """Do a parked row once more; it stays parked with the new reason where that fails. Raises TransitionNotAllowed while the
    run is being undone or is over for good."""
    run_pk = BackfillRowError.objects.filter(pk=parked_pk).values_list("run_id", flat=True).first()
    if run_pk is None:
        raise NotFound(f"There is no parked row {parked_pk}")
    job, run = _locked(run_pk)
    if run.state not in (states.RUNNING, states.PAUSING, states.PAUSED, states.FAILED, states.FINISHED):
        raise TransitionNotAllowed(f"The run is {run.state}; its parked rows are no longer done")
    parked = BackfillRowError.objects.select_for_update().get(pk=parked_pk)
    if parked.resolved_at is not None:
        return parked
    wanted = select_rows(job, run).filter(pk=parked.row_pk).select_for_update(no_key=True)
    wishes = evaluate_rule(job, run, read(job, wanted))
    refused = write_collecting_errors(job, wishes.changes, by=run.requested_by, now=now)
    reasons = [*(reason for _, reason in wishes.bad), *refused.values()]
    if reasons:
        parked.attempts, parked.reason = parked.attempts + 1, reasons[0][:500]
        parked.save(update_fields=["attempts", "reason"])
        return parked
    parked.resolved_at = now
    parked.resolution = f"done, by {by}" if wishes.changes else "it needs nothing any more"
    parked.save(update_fields=["resolved_at", "resolution"])
    run.failed_rows -= 1
    run.changed_rows += len(wishes.changes)
    run.skipped_rows += 1 - len(wishes.changes)
    run.save(update_fields=["failed_rows", "changed_rows", "skipped_rows"])
    record_event(job.tables, run.pk, "retried", f"Parked row {parked.label}: {parked.resolution}", now=now, actor=by)
    return parked


@transaction.atomic
def pause_all(*, by: str, reason: str, now: datetime) -> None:
    """No run goes on until `resume_all`. Raises Conflict where they are held already."""
    reason = clean_reason(reason, why="everything shall wait")
    _, is_new = BackfillGlobalPause.objects.get_or_create(
        pk=1, defaults={"reason": reason, "held_by": by, "held_at": now}
    )
    if not is_new:
        raise Conflict("All runs are held already")
    log.warning("backfills held", extra={"by": by})


def resume_all() -> bool:
    """True where they were held."""
    deleted, _ = BackfillGlobalPause.objects.all().delete()
    return bool(deleted)


def global_pause() -> dict[str, Any] | None:
    return BackfillGlobalPause.objects.values("reason", "held_by", "held_at").first()
