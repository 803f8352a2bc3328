"""Control of runs: pause, resume, cancel, unlock, adjust, undo, finalise, reopen, retry, global pause.

Each method locks the run, checks the transition and records an event. A batch holds the same lock until its commit, so
that no method sees half a batch. None of them starts a worker.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction

from common.errors import Conflict, NotFound
from common.reasons import clean_reason
from jobs import states
from jobs.errors import TransitionNotAllowed
from jobs.run_context import RunContext, RunModels
from jobs.run_setup import validate_pace
from jobs.selection import iter_chunks
from jobs.transitions import has_active_lease, record_event, transition

log = logging.getLogger(__name__)

_MAX_SHOWN_PKS = 5


class Queueing(Protocol):
    """Functions that change a run and send its task."""

    def start(self, run_pk: int, *, by: str, now: datetime, plan_hash: str | None) -> None: ...
    def resume(self, run_pk: int, *, by: str, now: datetime) -> None: ...
    def undo(self, run_pk: int, *, by: str, now: datetime) -> None: ...
    def force_unlock(self, run_pk: int, *, by: str, now: datetime) -> None: ...
    def recreate_plan(self, run_pk: int) -> None: ...


@dataclass(frozen=True)
class RunControl:
    """The control of one kind of run. `context_for_run` raises NotFound if the operation of a run does not exist."""

    models: RunModels
    context_for_run: Callable[[Any], RunContext]

    def get_run(self, run_pk: int) -> Any:
        run = self.models.run.objects.filter(pk=run_pk).first()
        if run is None:
            raise NotFound(f"There is no run {run_pk}")
        return run

    def _lock(self, run_pk: int) -> tuple[RunContext, Any]:
        run = self.models.run.objects.select_for_update().filter(pk=run_pk).first()
        if run is None:
            raise NotFound(f"There is no run {run_pk}")
        return self.context_for_run(run), run

    @transaction.atomic
    def pause(self, run_pk: int, *, by: str, now: datetime) -> Any:
        """Pause after the current batch, or at once if no worker has the lease."""
        _, run = self._lock(run_pk)
        to = states.PAUSING if has_active_lease(run, now) else states.PAUSED
        transition(self.models, run, to, now=now, actor=by, message="Pause requested")
        return run

    @transaction.atomic
    def cancel(self, run_pk: int, *, by: str, now: datetime) -> Any:
        """Stop like `pause`, for good. Written values stay until the run is undone."""
        _, run = self._lock(run_pk)
        is_leased = run.state in (states.RUNNING, states.PAUSING) and has_active_lease(run, now)
        to, finished_at = (states.CANCELLING, None) if is_leased else (states.CANCELLED, now)
        transition(self.models, run, to, now=now, actor=by, message="Cancellation requested", finished_at=finished_at)
        return run

    @transaction.atomic
    def resume(self, run_pk: int, *, by: str, now: datetime, baseline_p95_ms: float | None = None) -> Any:
        _, run = self._lock(run_pk)
        if run.state == states.PLANNED:
            raise TransitionNotAllowed("The run is planned: start it")
        if run.state == states.FINALISED:
            raise TransitionNotAllowed("The run is finalised and has no work left")
        if run.state == states.RUNNING and not has_active_lease(run, now):
            return run  # its worker is gone; the caller starts another one
        transition(
            self.models, run, states.RUNNING, now=now, actor=by, message="Resumed", error="", finished_at=None,
            baseline_p95_ms=baseline_p95_ms or run.baseline_p95_ms,
        )  # fmt: skip
        return run

    @transaction.atomic
    def begin_undo(self, run_pk: int, *, by: str, now: datetime) -> Any:
        """Raises TransitionNotAllowed while the run is active, ColumnLocked while another run has its columns."""
        _, run = self._lock(run_pk)
        transition(
            self.models, run, states.UNDOING, now=now, actor=by, message="Undo requested", error="", finished_at=None
        )
        return run

    @transaction.atomic
    def force_unlock(self, run_pk: int, *, by: str, now: datetime) -> Any:
        """Release the lease of a worker that is gone or hangs, and complete a requested stop.

        A worker that is still alive gets LeaseLost at its next batch.
        """
        _, run = self._lock(run_pk)
        if run.state not in states.ACTIVE:
            raise TransitionNotAllowed(f"The run is {run.state}: no worker can have its lease")
        run.lease_token = run.lease_expires_at = run.next_check_at = None
        if (target := states.stop_target(run.state)) != run.state:
            finished_at = now if target == states.CANCELLED else None
            message = f"{target.capitalize()} by force unlock"
            transition(self.models, run, target, now=now, actor=by, message=message, finished_at=finished_at)
        else:
            run.wait_reason = ""
            run.save()
            record_event(self.models, run.pk, "unlocked", "Lease released by force unlock", now=now, actor=by)
        return run

    @transaction.atomic
    def adjust(self, run_pk: int, *, batch_size: int, sleep_ratio: float, by: str, now: datetime) -> Any:
        """Change the pace from the next batch on. Raises InvalidInput outside the bounds."""
        _, run = self._lock(run_pk)
        if run.state in (states.UNDONE, states.FINALISED):
            raise TransitionNotAllowed(f"The run is {run.state} and has no batch left to adjust")
        validate_pace(batch_size=batch_size, sleep_ratio=sleep_ratio, run=run)
        message = f"Batch size {run.batch_size} -> {batch_size}, sleep ratio {run.sleep_ratio:g} -> {sleep_ratio:g}"
        run.batch_size, run.sleep_ratio = batch_size, sleep_ratio
        run.save(update_fields=["batch_size", "sleep_ratio"])
        record_event(self.models, run.pk, "adjusted", message, now=now, actor=by)
        return run

    @transaction.atomic
    def finalise(self, run_pk: int, *, by: str, now: datetime) -> Any:
        """Declare the values reliable. Raises TransitionNotAllowed while rows are missing."""
        context, run = self._lock(run_pk)
        states.validate_transition(run.state, states.FINALISED)
        if errors := self.finalise_errors(context, run):
            raise TransitionNotAllowed("; ".join(errors))
        transition(self.models, run, states.FINALISED, now=now, actor=by, message="Finalised")
        return run

    def finalise_errors(self, context: RunContext, run: Any) -> list[str]:
        """Return why the run cannot be finalised: failed rows, or rows that the operation would still change.

        A value that the run wrote and a user removed since counts as done: the user decided so.
        """
        errors = []
        failed_pks = set(run.row_errors.unresolved().values_list("row_pk", flat=True))
        if failed_pks:
            errors.append(f"{len(failed_pks)} rows have failed: correct and retry them")
        missing: list[int] = []
        for rows in iter_chunks(context, run):
            evaluation = context.operation.evaluate(run, rows)
            pks = {change.pk for change in evaluation.changes} | {pk for pk, _ in evaluation.errors}
            written_pks = set(run.changes.filter(row_pk__in=pks).values_list("row_pk", flat=True))
            missing += pks - failed_pks - written_pks
        if missing:
            shown = ", ".join(map(str, sorted(missing)[:_MAX_SHOWN_PKS]))
            errors.append(f"{len(missing)} rows have no value yet, such as {shown}")
        return errors

    @transaction.atomic
    def reopen(self, run_pk: int, *, by: str, now: datetime) -> Any:
        """Set a finalised run back to finished, so that it can be undone."""
        _, run = self._lock(run_pk)
        if run.state != states.FINALISED:
            raise TransitionNotAllowed(f"The run is {run.state}; only a finalised run can be reopened")
        transition(self.models, run, states.FINISHED, now=now, actor=by, message="Reopened")
        return run

    @transaction.atomic
    def retry_row(self, row_error_pk: int, *, by: str, now: datetime) -> Any:
        """Process a failed row again and return its row error, resolved or with the new reason.

        Raises TransitionNotAllowed if the state of the run does not allow writes.
        """
        row_error_model = self.models.row_error
        run_pk = row_error_model.objects.filter(pk=row_error_pk).values_list("run_id", flat=True).first()
        if run_pk is None:
            raise NotFound(f"There is no row error {row_error_pk}")
        context, run = self._lock(run_pk)
        if run.state not in (states.RUNNING, states.PAUSING, states.PAUSED, states.FAILED, states.FINISHED):
            raise TransitionNotAllowed(f"The run is {run.state}; its failed rows cannot be retried")
        row_error = row_error_model.objects.select_for_update().get(pk=row_error_pk)
        if row_error.resolved_at is not None:
            return row_error
        operation = context.operation
        selected = operation.select(run).filter(pk=row_error.row_pk).select_for_update(no_key=True)
        evaluation = operation.evaluate(run, operation.read(selected))
        rejected = operation.write(evaluation.changes, by=run.requested_by, now=now)
        if reasons := [*(reason for _, reason in evaluation.errors), *rejected.values()]:
            row_error.attempts, row_error.reason = row_error.attempts + 1, reasons[0][:500]
            row_error.save(update_fields=["attempts", "reason"])
            return row_error
        row_error.resolved_at = now
        row_error.resolution = f"written, by {by}" if evaluation.changes else "needs no value any more"
        row_error.save(update_fields=["resolved_at", "resolution"])
        run.failed_rows -= 1
        run.changed_rows += len(evaluation.changes)
        run.skipped_rows += 1 - len(evaluation.changes)
        run.save(update_fields=["failed_rows", "changed_rows", "skipped_rows"])
        message = f"Failed row {row_error.label}: {row_error.resolution}"
        record_event(self.models, run.pk, "retried", message, now=now, actor=by)
        return row_error

    @transaction.atomic
    def pause_all(self, *, by: str, reason: str, now: datetime) -> None:
        """Pause all runs of this kind until `resume_all`. Raises Conflict if they are paused already."""
        reason = clean_reason(reason, purpose="all runs shall pause")
        _, is_new = self.models.global_pause.objects.get_or_create(
            pk=1, defaults={"reason": reason, "paused_by": by, "paused_at": now}
        )
        if not is_new:
            raise Conflict("All runs are paused already")
        log.warning("all runs paused", extra={"by": by})

    def resume_all(self) -> bool:
        """Return whether the runs were paused."""
        deleted, _ = self.models.global_pause.objects.all().delete()
        return bool(deleted)

    def global_pause(self) -> dict[str, Any] | None:
        return self.models.global_pause.objects.values("reason", "paused_by", "paused_at").first()
