"""Process the next rows of a run: read, lock, evaluate, write with ledger, batch and cursor in one transaction."""

import random
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction

from jobs import states
from jobs.bisection import is_transient
from jobs.errors import LeaseLost
from jobs.operations import Row
from jobs.run_context import RunContext
from jobs.selection import rows_done
from jobs.transitions import lease_expiry, lock_run, mark_failed, record_event, transition
from jobs.undo import undo_next_rows

_MAX_ATTEMPTS = 4
_rng = random.SystemRandom()


@dataclass(frozen=True)
class BatchResult:
    """The state of the run after a batch, the rows of the batch and its duration."""

    state: str
    rows: int = 0
    seconds: float = 0.0

    @property
    def is_over(self) -> bool:
        return self.state not in states.ACTIVE


def run_next_batch(context: RunContext, *, now: datetime, token: uuid.UUID | None = None) -> BatchResult:
    """Process the next batch, undo the next batch of an undoing run, or complete a requested stop.

    Raises LeaseLost if `token` is given and is no longer the lease of the run. The batch is one transaction: a killed
    process leaves no trace of it.
    """
    for attempt in range(1, _MAX_ATTEMPTS):
        try:
            return _run_batch(context, now=now, token=token, attempt=attempt)
        except OperationalError as error:
            if not is_transient(error):
                raise
            time.sleep(attempt * _rng.uniform(0.05, 0.15))
    return _run_batch(context, now=now, token=token, attempt=_MAX_ATTEMPTS)


@transaction.atomic
def _run_batch(context: RunContext, *, now: datetime, token: uuid.UUID | None, attempt: int) -> BatchResult:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{settings.JOBS_LOCK_TIMEOUT_MS}ms"])
    models = context.models
    run = lock_run(models, context.run_pk)
    if token is not None and run.lease_token != token:
        raise LeaseLost(f"Another worker has the lease of run {run.pk}")
    if (target := states.stop_target(run.state)) != run.state:
        transition(models, run, target, now=now, message=f"{target.capitalize()} on request")
    elif run.state == states.RUNNING and (error := context.operation.version_error(run)):
        mark_failed(models, run, error, now=now)
    elif run.state in states.ACTIVE:
        process = _apply_batch if run.state == states.RUNNING else _undo_batch
        size = process(context, run, now=now, attempt=attempt, started=started)
        return BatchResult(run.state, size, time.perf_counter() - started)
    return BatchResult(run.state)


def _apply_batch(context: RunContext, run: Any, *, now: datetime, attempt: int, started: float) -> int:
    operation = context.operation
    pending = operation.select(run, after_pk=run.cursor_pk)
    if attempt < _MAX_ATTEMPTS:
        rows, locked_rows = operation.read(pending.select_for_update(no_key=True)[: run.batch_size]), []
    else:  # the last attempt skips rows that are still locked
        rows, locked_rows = _split_locked(context, run, operation.read(pending[: run.batch_size]))
    if not rows and not locked_rows:
        run.total_rows = rows_done(run)
        message = f"{run.changed_rows} changed, {run.skipped_rows} skipped, {run.failed_rows} failed"
        transition(context.models, run, states.FINISHED, now=now, message=message, finished_at=now)
        return 0
    evaluation = operation.evaluate(run, rows)
    rejected = operation.write(evaluation.changes, by=run.requested_by, now=now)
    errors = {
        **dict(evaluation.errors),
        **rejected,
        **{row["pk"]: "Row was locked by another transaction" for row in locked_rows},
    }
    done = [*rows, *locked_rows]
    _record_row_errors(context, run, [row for row in done if row["pk"] in errors], errors, now=now)
    changed, skipped = len(evaluation.changes) - len(rejected), evaluation.skipped.total()
    run.cursor_pk = max(row["pk"] for row in done)
    run.changed_rows += changed
    run.skipped_rows += skipped
    run.failed_rows += len(errors)
    counts = {"changed": changed, "skipped": skipped, "failed": len(errors)}
    _record_batch(context, run, [row["pk"] for row in done], counts, now=now, attempt=attempt, started=started)
    _fail_above_error_threshold(context, run, now=now)
    return len(done)


def _undo_batch(context: RunContext, run: Any, *, now: datetime, attempt: int, started: float) -> int:
    pks, outcomes = undo_next_rows(context, run, now=now)
    if not pks:
        message = f"{run.restored_rows} values restored, {run.conflict_rows} changed since and not restored"
        transition(context.models, run, states.UNDONE, now=now, message=message, finished_at=now)
        return 0
    conflicts = outcomes["conflict"] + outcomes["gone"]
    run.undo_cursor_pk = pks[-1]
    run.restored_rows += outcomes["restored"]
    run.conflict_rows += conflicts
    counts = {"is_undo": True, "changed": outcomes["restored"], "skipped": conflicts}
    _record_batch(context, run, pks, counts, now=now, attempt=attempt, started=started)
    return len(pks)


def _split_locked(context: RunContext, run: Any, rows: list[Row]) -> tuple[list[Row], list[Row]]:
    selected = context.operation.select(run).filter(pk__in=[row["pk"] for row in rows])
    free = context.operation.read(selected.select_for_update(no_key=True, skip_locked=True))
    free_pks = {row["pk"] for row in free}
    return free, [row for row in rows if row["pk"] not in free_pks]


def _record_row_errors(
    context: RunContext, run: Any, rows: list[Row], reasons: dict[int, str], *, now: datetime
) -> None:
    row_error, label = context.models.row_error, context.operation.row_label
    row_error.objects.bulk_create(
        [
            row_error(run_id=run.pk, row_pk=row["pk"], label=label(row), reason=reasons[row["pk"]][:500], failed_at=now)
            for row in rows
        ],
        update_conflicts=True,  # a resumed run may meet a row that failed before
        unique_fields=["run", "row_pk"],
        update_fields=["reason", "failed_at"],
    )


def _record_batch(
    context: RunContext, run: Any, pks: list[int], counts: dict[str, int], *,
    now: datetime, attempt: int, started: float,
) -> None:  # fmt: skip
    run.batches_done += 1
    context.models.batch.objects.create(
        run_id=run.pk, number=run.batches_done, first_pk=min(pks), last_pk=max(pks), size=len(pks), attempts=attempt,
        duration_ms=(time.perf_counter() - started) * 1000, finished_at=now, **counts,
    )  # fmt: skip
    run.wait_reason, run.next_check_at = "", None
    if run.lease_token is not None:
        run.lease_expires_at = lease_expiry(now)
    run.save()
    done = rows_done(run)
    if not counts.get("is_undo") and run.total_rows:
        tenth, before = (10 * rows // run.total_rows for rows in (done, done - len(pks)))
        if before < tenth < 10:
            record_event(context.models, run.pk, "progress", f"{done} of {run.total_rows} rows done", now=now)


def _fail_above_error_threshold(context: RunContext, run: Any, *, now: datetime) -> None:
    done, limit = rows_done(run), settings.JOBS_MAX_FAILURE_SHARE
    if done >= settings.JOBS_MIN_ROWS_TO_FAIL and run.failed_rows / done > limit:
        error = (
            f"{run.failed_rows} of {done} rows failed, more than {limit:.0%}. Correct and retry the failed rows, then "
            "resume the run; or undo it"
        )
        mark_failed(context.models, run, error, now=now)
