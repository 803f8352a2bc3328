"""What people ask of a run: pause, resume, cancel, force, adjust, undo, finalise, reopen, retry a parked row, hold all.

Each verb locks the run, checks the move and leaves an event. A batch holds the same lock until it is committed, so
that no verb ever finds half a batch. Whoever needs a worker for it goes by `queueing`.
"""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction

from backfills import states
from backfills.engine.ledger import write_what_is_taken
from backfills.engine.run_context import Job, job_of
from backfills.engine.run_setup import check_pace, checked_reason
from backfills.engine.selection import ask_rule, concerned, pages, read
from backfills.engine.transitions import is_held_by_worker, move, note
from backfills.errors import MoveRefused
from backfills.models import BackfillHold, BackfillParked, BackfillRun
from common.errors import Conflict, NotFound

log = logging.getLogger(__name__)

_LEFT_OVER_SHOWN = 5


def _locked(run_pk: int) -> tuple[Job, BackfillRun]:
    run = BackfillRun.objects.select_for_update().filter(pk=run_pk).first()
    if run is None:
        raise NotFound(f"There is no run {run_pk}")
    return job_of(run), run


@transaction.atomic
def pause(run_pk: int, *, by: str, now: datetime) -> BackfillRun:
    """At once where no worker holds the run, else after its batch."""
    job, run = _locked(run_pk)
    is_held = is_held_by_worker(run, now)
    move(job.tables, run, states.PAUSING if is_held else states.PAUSED, now=now, actor=by, text="Pause asked for")
    return run


@transaction.atomic
def cancel(run_pk: int, *, by: str, now: datetime) -> BackfillRun:
    """Like `pause`, for good. What was written stays until the run is undone."""
    job, run = _locked(run_pk)
    is_held = run.state in (states.RUNNING, states.PAUSING) and is_held_by_worker(run, now)
    to = states.CANCELLING if is_held else states.CANCELLED
    move(job.tables, run, to, now=now, actor=by, text="Cancelling asked for", ended_at=None if is_held else now)
    return run


@transaction.atomic
def resume(run_pk: int, *, by: str, now: datetime, baseline_p95_ms: float | None = None) -> BackfillRun:
    job, run = _locked(run_pk)
    if run.state == states.PLANNED:
        raise MoveRefused("The run has not begun: start it")
    if run.state == states.FINALISED:
        raise MoveRefused("The run is finalised and has nothing left to do")
    if run.state == states.RUNNING and not is_held_by_worker(run, now):
        return run  # its worker went; whoever asks carries it on
    move(
        job.tables,
        run,
        states.RUNNING,
        now=now,
        actor=by,
        text="Resumed",
        error="",
        ended_at=None,
        baseline_p95_ms=baseline_p95_ms or run.baseline_p95_ms,
    )
    return run


@transaction.atomic
def begin_undo(run_pk: int, *, by: str, now: datetime) -> BackfillRun:
    """Raises MoveRefused while the run goes on (pause or cancel it first), FieldHeld while another one does."""
    job, run = _locked(run_pk)
    move(job.tables, run, states.UNDOING, now=now, actor=by, text="Undoing asked for", error="", ended_at=None)
    return run


@transaction.atomic
def force(run_pk: int, *, by: str, now: datetime) -> BackfillRun:
    """The way out of a run whose worker is gone or hangs: a stop that was asked for is made, else the hold is taken
    from the worker, which notices at its next batch and leaves."""
    job, run = _locked(run_pk)
    if run.state not in states.ACTIVE:
        raise MoveRefused(f"The run is {run.state} and does not wait for a worker")
    run.worker = run.lease_until = run.next_look_at = None
    if (settled := states.settled(run.state)) != run.state:
        ended_at = now if settled == states.CANCELLED else None
        move(job.tables, run, settled, now=now, actor=by, text=f"{settled} by force", ended_at=ended_at)
    else:
        run.waits_because = ""
        run.save()
        note(job.tables, run.pk, "forced", "Taken from its worker and sent on", now=now, actor=by)
    return run


@transaction.atomic
def adjust(run_pk: int, *, batch_rows: int, sleep_ratio: float, by: str, now: datetime) -> BackfillRun:
    """From the next batch on. Raises Invalid outside the bounds."""
    job, run = _locked(run_pk)
    if run.state in (states.UNDONE, states.FINALISED):
        raise MoveRefused(f"The run is {run.state}; there is no next batch")
    check_pace(batch_rows=batch_rows, sleep_ratio=sleep_ratio, run=run)
    text = f"{run.batch_rows} rows a batch, rest {run.sleep_ratio:g} -> {batch_rows} rows, rest {sleep_ratio:g}"
    run.batch_rows, run.sleep_ratio = batch_rows, sleep_ratio
    run.save(update_fields=["batch_rows", "sleep_ratio"])
    note(job.tables, run.pk, "adjusted", text, now=now, actor=by)
    return run


@transaction.atomic
def finalise(run_pk: int, *, by: str, now: datetime) -> BackfillRun:
    """From now on the rest of the system may count on the values. Raises MoveRefused while it may not."""
    job, run = _locked(run_pk)
    states.check_move(run.state, states.FINALISED)
    if reasons := reasons_against_finalising(job, run):
        raise MoveRefused("; ".join(reasons))
    move(job.tables, run, states.FINALISED, now=now, actor=by, text="Finalised")
    return run


def reasons_against_finalising(job: Job, run: BackfillRun) -> list[str]:
    """Parked rows, and the post-check: no row of the run's range is left that the rule would still change.

    A value that the run wrote and a person took away since is that person's decision and counts as done.
    """
    reasons = []
    parked_pks = set(run.parked.open().values_list("row_pk", flat=True))
    if parked_pks:
        reasons.append(f"{len(parked_pks)} rows are parked: mend and retry them")
    left: list[int] = []
    for rows in pages(job, run):
        wishes = ask_rule(job, run, rows)
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
        raise MoveRefused(f"The run is {run.state}; only a finalised one is reopened")
    move(job.tables, run, states.FINISHED, now=now, actor=by, text="Reopened")
    return run


@transaction.atomic
def retry_parked(parked_pk: int, *, by: str, now: datetime) -> BackfillParked:
    """Do a parked row once more; it stays parked with the new reason where that fails. Raises MoveRefused while the
    run is being undone or is over for good."""
    run_pk = BackfillParked.objects.filter(pk=parked_pk).values_list("run_id", flat=True).first()
    if run_pk is None:
        raise NotFound(f"There is no parked row {parked_pk}")
    job, run = _locked(run_pk)
    if run.state not in (states.RUNNING, states.PAUSING, states.PAUSED, states.FAILED, states.FINISHED):
        raise MoveRefused(f"The run is {run.state}; its parked rows are no longer done")
    parked = BackfillParked.objects.select_for_update().get(pk=parked_pk)
    if parked.resolved_at is not None:
        return parked
    wanted = concerned(job, run).filter(pk=parked.row_pk).select_for_update(no_key=True)
    wishes = ask_rule(job, run, read(job, wanted))
    refused = write_what_is_taken(job, wishes.changes, by=run.requested_by, now=now)
    reasons = [*(reason for _, reason in wishes.bad), *refused.values()]
    if reasons:
        parked.attempts, parked.reason = parked.attempts + 1, reasons[0][:500]
        parked.save(update_fields=["attempts", "reason"])
        return parked
    parked.resolved_at = now
    parked.resolution = f"done, by {by}" if wishes.changes else "it needs nothing any more"
    parked.save(update_fields=["resolved_at", "resolution"])
    run.parked_rows -= 1
    run.changed_rows += len(wishes.changes)
    run.skipped_rows += 1 - len(wishes.changes)
    run.save(update_fields=["parked_rows", "changed_rows", "skipped_rows"])
    note(job.tables, run.pk, "retried", f"Parked row {parked.label}: {parked.resolution}", now=now, actor=by)
    return parked


@transaction.atomic
def hold_all(*, by: str, reason: str, now: datetime) -> None:
    """No run goes on until `release_all`. Raises Conflict where they are held already."""
    reason = checked_reason(reason, why="everything shall wait")
    _, is_new = BackfillHold.objects.get_or_create(pk=1, defaults={"reason": reason, "held_by": by, "held_at": now})
    if not is_new:
        raise Conflict("All runs are held already")
    log.warning("backfills held", extra={"by": by})


def release_all() -> bool:
    """True where they were held."""
    deleted, _ = BackfillHold.objects.all().delete()
    return bool(deleted)


def describe_hold() -> dict[str, Any] | None:
    return BackfillHold.objects.values("reason", "held_by", "held_at").first()
