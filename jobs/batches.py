"""The next rows of a run: read and locked, given to the rule, written with ledger, batch and cursor, all or nothing."""

import random
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction

from backfills import states
from backfills.engine.bisection import is_transient
from backfills.engine.ledger import write_collecting_errors
from backfills.engine.run_context import RunContext
from backfills.engine.selection import evaluate_rule, read, row_label, rows_done, select_rows
from backfills.engine.transitions import lease_expiry, lock_run, mark_failed, record_event, transition
from backfills.engine.undo import undo_next_rows
from backfills.errors import LeaseLost
from backfills.rules import Row

_ATTEMPTS = 4
_LOCK_WAIT = "2s"  # a person's edit takes milliseconds; who holds a row longer is waited for by trying again
_dice = random.SystemRandom()


@dataclass(frozen=True)
class BatchResult:
    """What one call did. `state` is the run's afterwards."""

    state: str
    rows: int = 0
    seconds: float = 0.0

    @property
    def is_over(self) -> bool:
        return self.state not in states.ACTIVE


def run_next_batch(job: RunContext, *, now: datetime, mark: uuid.UUID | None = None) -> BatchResult:
    """Forwards or, where the run is being undone, backwards; a wish for a stop is fulfilled instead.

    `mark` is the worker's hold; a run that another one holds raises LeaseLost. Killed at any point, it is as if it had
    not been called.
    """
    for attempt in range(1, _ATTEMPTS):
        try:
            return _step(job, now=now, mark=mark, attempt=attempt)
        except OperationalError as error:
            if not is_transient(error):
                raise
            time.sleep(attempt * _dice.uniform(0.05, 0.15))
    return _step(job, now=now, mark=mark, attempt=_ATTEMPTS)


@transaction.atomic
def _step(job: RunContext, *, now: datetime, mark: uuid.UUID | None, attempt: int) -> BatchResult:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_LOCK_WAIT])
    run = lock_run(job.tables, job.run_pk)
    if mark is not None and run.worker != mark:
        raise LeaseLost(f"Run {run.pk} is held by another worker")
    if (settled := states.stop_target(run.state)) != run.state:
        transition(job.tables, run, settled, now=now, text=f"{settled} as it was asked to")
    elif run.state == states.RUNNING and run.rule_version != job.rule.version:
        mark_failed(
            job.tables,
            run,
            f"The rule is version {job.rule.version} now; the run began with {run.rule_version}",
            now=now,
        )
    elif run.state in states.ACTIVE:
        do = _apply_batch if run.state == states.RUNNING else _undo_batch
        size = do(job, run, now=now, attempt=attempt, started=started)
        return BatchResult(run.state, size, time.perf_counter() - started)
    return BatchResult(run.state)


def _apply_batch(job: RunContext, run: Any, *, now: datetime, attempt: int, started: float) -> int:
    due = select_rows(job, run, after_pk=run.cursor_pk)
    if attempt < _ATTEMPTS:
        rows, locked_out = read(job, due.select_for_update(no_key=True)[: run.batch_size]), []
    else:  # who would not let go of a row by now is left behind
        all_rows = read(job, due[: run.batch_size])
        rows, locked_out = _split_locked(job, run, all_rows)
    if not rows and not locked_out:
        run.total_rows = rows_done(run)
        text = f"{run.changed_rows} changed, {run.skipped_rows} left as they were, {run.failed_rows} parked"
        transition(job.tables, run, states.FINISHED, now=now, text=text, finished_at=now)
        return 0
    wishes = evaluate_rule(job, run, rows)
    refused = write_collecting_errors(job, wishes.changes, by=run.requested_by, now=now)
    bad = {
        **dict(wishes.bad),
        **refused,
        **{row["pk"]: "Somebody held the row locked" for row in locked_out},
    }
    done = [*rows, *locked_out]
    _record_row_errors(job, run, [row for row in done if row["pk"] in bad], bad, now=now)
    changed, skipped = len(wishes.changes) - len(refused), wishes.skipped.total()
    run.cursor_pk = max(row["pk"] for row in done)
    run.changed_rows += changed
    run.skipped_rows += skipped
    run.failed_rows += len(bad)
    counts = {"changed": changed, "skipped": skipped, "parked": len(bad)}
    _record(job, run, [row["pk"] for row in done], counts, now=now, attempt=attempt, started=started)
    _fail_above_error_threshold(job, run, now=now)
    return len(done)


def _undo_batch(job: RunContext, run: Any, *, now: datetime, attempt: int, started: float) -> int:
    pks, outcomes = undo_next_rows(job, run, now=now)
    if not pks:
        text = f"{run.restored_rows} values put back, {run.conflict_rows} left because they are no longer the run's"
        transition(job.tables, run, states.UNDONE, now=now, text=text, finished_at=now)
        return 0
    run.undo_cursor_pk = pks[-1]
    run.restored_rows += outcomes["restored"]
    run.conflict_rows += outcomes["conflict"] + outcomes["gone"]
    counts = {"is_undo": True, "changed": outcomes["restored"], "skipped": outcomes["conflict"] + outcomes["gone"]}
    _record(job, run, pks, counts, now=now, attempt=attempt, started=started)
    return len(pks)


def _split_locked(job: RunContext, run: Any, rows: list[Row]) -> tuple[list[Row], list[Row]]:
    wanted = select_rows(job, run).filter(pk__in=[row["pk"] for row in rows])
    free = read(job, wanted.select_for_update(no_key=True, skip_locked=True))
    free_pks = {row["pk"] for row in free}
    return free, [row for row in rows if row["pk"] not in free_pks]


def _record_row_errors(job: RunContext, run: Any, rows: list[Row], reasons: dict[int, str], *, now: datetime) -> None:
    parked = job.tables.parked
    parked.objects.bulk_create(
        [
            parked(run_id=run.pk, row_pk=pk, label=row_label(job, row), reason=reasons[pk][:500], failed_at=now)
            for row in rows
            for pk in [row["pk"]]
        ],
        update_conflicts=True,  # a run that was taken up again may come by a row that was parked before
        unique_fields=["run", "row_pk"],
        update_fields=["reason", "failed_at"],
    )


def _record(
    job: RunContext, run: Any, pks: list[int], counts: dict[str, int], *, now: datetime, attempt: int, started: float
) -> None:
    run.batches_done += 1
    job.tables.batch.objects.create(
        run_id=run.pk, number=run.batches_done, first_pk=min(pks), last_pk=max(pks), size=len(pks), attempts=attempt,
        duration_ms=(time.perf_counter() - started) * 1000, finished_at=now, **counts,
    )  # fmt: skip
    run.wait_reason, run.next_check_at = "", None
    if run.worker is not None:
        run.lease_expires_at = lease_expiry(now)
    run.save()
    done = rows_done(run)
    if not counts.get("is_undo") and run.total_rows:
        tenth, before = (10 * rows // run.total_rows for rows in (done, done - len(pks)))
        if before < tenth < 10:
            record_event(job.tables, run.pk, "progress", f"{done} of {run.total_rows} rows done", now=now)


def _fail_above_error_threshold(job: RunContext, run: Any, *, now: datetime) -> None:
    done = rows_done(run)
    share = run.failed_rows / done
    if done >= settings.BACKFILLS_MIN_ROWS_TO_FAIL and share > settings.BACKFILLS_MAX_FAILURE_SHARE:
        text = (
            f"{run.failed_rows} of {done} rows failed, more than {settings.BACKFILLS_MAX_FAILURE_SHARE:.0%}: "
            "mend and retry parked rows, then resume; or undo"
        )
        mark_failed(job.tables, run, text, now=now)
