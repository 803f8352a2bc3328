"""Progress of runs as JSON, for API clients, pages and commands."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, Q, Sum

from common.timestamps import format_timestamp
from jobs import states
from jobs.run_context import RunModels
from jobs.selection import rows_done
from jobs.throttle import pause_message
from jobs.transitions import has_active_lease

_RATE_SECONDS = 60
_MAX_BARS = 60
_MAX_EVENTS = 100
_UNDO_STATES = (states.UNDOING, states.UNDONE)


def runs_progress(models: RunModels, runs: Sequence[Any], now: datetime) -> list[dict[str, Any]]:
    """Return one document per run. `etaSeconds` and `rowsPerSecond` are null when they are unknown."""
    rates, values = _rows_per_second(models, runs, now), _values_written(models, runs)
    pause = models.global_pause.objects.first()
    return [_run_document(run, now, rates.get(run.pk), values.get(run.pk, 0), pause) for run in runs]


def _run_document(run: Any, now: datetime, rate: float | None, values_written: int, pause: Any) -> dict[str, Any]:
    done, total = rows_done(run), run.total_rows
    if run.phase in (states.PLANNING, states.STARTING):
        done = run.checked_rows
    if run.state in _UNDO_STATES:
        done, total = run.restored_rows + run.conflict_rows, values_written
    eta = round(max(total - done, 0) / rate) if rate and run.state in (states.RUNNING, states.UNDOING) else None
    return {
        "id": run.pk,
        "table": run.table_name,
        "fields": run.fields,
        "state": run.state,
        "stateChangedAt": format_timestamp(run.state_changed_at),
        "reason": run.reason,
        "requestedBy": run.requested_by,
        "rowsDone": done,
        "rowsTotal": total,
        "changed": run.changed_rows,
        "skipped": run.skipped_rows,
        "failed": run.failed_rows,
        "restored": run.restored_rows,
        "conflicts": run.conflict_rows,
        "batches": run.batches_done,
        "batchSize": run.batch_size,
        "sleepRatio": run.sleep_ratio,
        "rowsPerSecond": round(rate, 1) if rate else None,
        "etaSeconds": eta,
        "waitReason": wait_reason(run, now, pause),
        "error": run.error,
        "planHash": run.plan_hash,
        "createdAt": format_timestamp(run.created_at),
        "startedAt": format_timestamp(run.started_at) if run.started_at else None,
        "finishedAt": format_timestamp(run.finished_at) if run.finished_at else None,
    }


def _values_written(models: RunModels, runs: Sequence[Any]) -> dict[int, int]:
    undone = [run.pk for run in runs if run.state in _UNDO_STATES]
    return dict(models.change.objects.filter(run__in=undone).values_list("run_id").annotate(Count("pk")).order_by())


def _rows_per_second(models: RunModels, runs: Sequence[Any], now: datetime) -> dict[int, float]:
    recent = models.batch.objects.filter(finished_at__gt=now - timedelta(seconds=_RATE_SECONDS)).filter(
        Q(is_undo=True, run__state=states.UNDOING) | Q(is_undo=False) & ~Q(run__state=states.UNDOING), run__in=runs
    )
    found = recent.order_by().values_list("run_id").annotate(
        Sum("size"), Min("finished_at"), Max("finished_at"), Count("pk")
    )  # fmt: skip
    # n batches span n - 1 intervals.
    spans = {pk: (rows, (last - first).total_seconds(), count) for pk, rows, first, last, count in found}
    return {pk: rows * (count - 1) / count / seconds for pk, (rows, seconds, count) in spans.items() if seconds}


def wait_reason(run: Any, now: datetime, pause: Any) -> str:
    """Return why the run makes no progress and what to do; "" while it does, or when it has no work left."""
    if run.phase == states.STARTING:
        return "A worker checks the rows before the start"
    if run.state == states.PLANNED and run.planned_at is None:
        return run.error or "A worker is making the plan"
    if run.state not in states.ACTIVE:
        return ""
    if run.state == states.RUNNING and pause:
        return pause_message(pause)
    if run.wait_reason:
        return run.wait_reason
    if has_active_lease(run, now):
        return ""
    if run.lease_expires_at is not None:
        late = round((now - run.lease_expires_at).total_seconds())
        return f"No heartbeat from the worker for {late + settings.JOBS_LEASE_SECONDS} s. Another worker takes over."
    waited = (now - (run.next_check_at or run.state_changed_at)).total_seconds()
    if waited < settings.JOBS_LEASE_SECONDS:
        return ""
    return "No worker has picked up this run. Check that Celery workers are running, or use Force unlock."


def events_after(run: Any, event_pk: int) -> list[dict[str, Any]]:
    """Return the next 100 events at most, in order.

    `type` is a state, or progress, adjusted, unlocked, retried.
    """
    columns = ("pk", "event_type", "actor", "message", "created_at")
    return [
        {"id": pk, "type": event_type, "actor": actor, "message": message, "createdAt": format_timestamp(created_at)}
        for pk, event_type, actor, message, created_at in (
            run.events.filter(pk__gt=event_pk).values_list(*columns)[:_MAX_EVENTS]
        )
    ]


def throughput(run: Any) -> list[dict[str, Any]]:
    """Return at most 60 bars of a chart over the whole run: {at, rows, isUndo}."""
    batches = list(run.batches.order_by("number").values_list("finished_at", "size", "is_undo"))
    if not batches:
        return []
    first, last = batches[0][0], batches[-1][0]
    width = max((last - first).total_seconds() / _MAX_BARS, 0.001)
    rows: Counter[tuple[int, bool]] = Counter()
    for at, size, is_undo in batches:
        rows[min(int((at - first).total_seconds() / width), _MAX_BARS - 1), is_undo] += size
    return [
        {
            "at": format_timestamp(first + timedelta(seconds=bar * width)),
            "rows": rows[bar, False] + rows[bar, True],
            "isUndo": rows[bar, True] > 0,
        }
        for bar in range(max(bar for bar, _ in rows) + 1)
    ]
