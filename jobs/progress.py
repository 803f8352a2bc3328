"""How a run goes, in figures and sentences: what clients, pages and commands show."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, Q, Sum

from backfills import states
from backfills.engine.transitions import has_active_lease
from backfills.models import BackfillBatch, BackfillChange, BackfillGlobalPause, BackfillRun
from common.timestamps import format_timestamp

_RATE_SECONDS = 60
_BARS = 60
_BACKWARDS = (states.UNDOING, states.UNDONE)
_EVENTS = 100


def run_progress(run: BackfillRun, now: datetime) -> dict[str, Any]:
    return runs_progress([run], now)[0]


def runs_progress(runs: Sequence[BackfillRun], now: datetime) -> list[dict[str, Any]]:
    """Each run as JSON; camelCase, moments as text, `etaSeconds` and `rowsPerSecond` null where nobody can say."""
    rates, values, hold = _rows_per_second(runs, now), _values_written(runs), BackfillGlobalPause.objects.first()
    return [_figures(run, now, rates.get(run.pk), values.get(run.pk, 0), hold) for run in runs]


def _figures(
    run: BackfillRun, now: datetime, rate: float | None, values_written: int, hold: BackfillGlobalPause | None
) -> dict[str, Any]:
    done, total = run.rows_done, run.total_rows
    if run.state in _BACKWARDS:
        done, total = run.restored_rows + run.conflict_rows, values_written
    eta = round(max(total - done, 0) / rate) if rate and run.state in (states.RUNNING, states.UNDOING) else None
    return {
        "id": run.pk,
        "rule": run.rule_name,
        "ruleVersion": run.rule_version,
        "parameters": run.parameters,
        "table": run.table_name,
        "fields": run.fields,
        "state": run.state,
        "stateSince": format_timestamp(run.state_changed_at),
        "reason": run.reason,
        "requestedBy": run.requested_by,
        "rowsDone": done,
        "rowsTotal": total,
        "changed": run.changed_rows,
        "skipped": run.skipped_rows,
        "parked": run.failed_rows,
        "restored": run.restored_rows,
        "conflicts": run.conflict_rows,
        "batches": run.batches_done,
        "batchRows": run.batch_size,
        "sleepRatio": run.sleep_ratio,
        "rowsPerSecond": round(rate, 1) if rate else None,
        "etaSeconds": eta,
        "waitsBecause": wait_reason(run, now, hold),
        "error": run.error,
        "planHash": run.plan_hash,
        "createdAt": format_timestamp(run.created_at),
        "startedAt": format_timestamp(run.started_at) if run.started_at else None,
        "endedAt": format_timestamp(run.finished_at) if run.finished_at else None,
    }


def _values_written(runs: Sequence[BackfillRun]) -> dict[int, int]:
    undone = [run.pk for run in runs if run.state in _BACKWARDS]
    return dict(BackfillChange.objects.filter(run__in=undone).values_list("run_id").annotate(Count("pk")).order_by())


def _rows_per_second(runs: Sequence[BackfillRun], now: datetime) -> dict[int, float]:
    recent = BackfillBatch.objects.recent(now, timedelta(seconds=_RATE_SECONDS)).filter(
        Q(is_undo=True, run__state=states.UNDOING) | Q(is_undo=False) & ~Q(run__state=states.UNDOING), run__in=runs
    )
    found = recent.order_by().values_list("run_id").annotate(
        Sum("size"), Min("finished_at"), Max("finished_at"), Count("pk")
    )  # fmt: skip
    # n batches span n - 1 intervals.
    spans = {pk: (rows, (last - first).total_seconds(), count) for pk, rows, first, last, count in found}
    return {pk: rows * (count - 1) / count / seconds for pk, (rows, seconds, count) in spans.items() if seconds}


def wait_reason(run: BackfillRun, now: datetime, hold: BackfillGlobalPause | None) -> str:
    """Why nothing moves and what helps; "" while the run goes on, or has nothing to do."""
    if run.state == states.PLANNED and run.planned_at is None:
        return run.error or "The plan is being made by a worker"
    if run.state not in states.ACTIVE:
        return ""
    if run.state == states.RUNNING and hold:
        return f"All runs are held by {hold.held_by}: {hold.reason}"
    if run.wait_reason:
        return run.wait_reason
    if has_active_lease(run, now):
        return ""
    if run.lease_expires_at is not None:
        late = round((now - run.lease_expires_at).total_seconds())
        return f"Its worker has not been heard of for {late + settings.BACKFILLS_LEASE_SECONDS} s; another takes over"
    waited = (now - (run.next_check_at or run.state_changed_at)).total_seconds()
    if waited < settings.BACKFILLS_LEASE_SECONDS:
        return ""
    return "No worker has taken it up: are workers running? `force` sends it once more"


def events_after(run: BackfillRun, event_pk: int) -> list[dict[str, Any]]:
    """At most 100, in order: {id, kind, actor, text, at}. Kinds are the states, progress, adjusted, forced, retried."""
    events = run.events.filter(pk__gt=event_pk).values_list("pk", "kind", "actor", "text", "at")[:_EVENTS]
    return [
        {"id": pk, "kind": kind, "actor": actor, "text": text, "at": format_timestamp(at)}
        for pk, kind, actor, text, at in events
    ]


def throughput(run: BackfillRun) -> list[dict[str, Any]]:
    """At most 60 bars over the run's whole time: {at, rows, isUndo}, for a chart."""
    batches = list(run.batches.order_by("number").values_list("finished_at", "size", "is_undo"))
    if not batches:
        return []
    began, ended = batches[0][0], batches[-1][0]
    width = max((ended - began).total_seconds() / _BARS, 0.001)
    rows: Counter[tuple[int, bool]] = Counter()
    for at, size, is_undo in batches:
        rows[min(int((at - began).total_seconds() / width), _BARS - 1), is_undo] += size
    last = max(bar for bar, _ in rows)
    return [
        {
            "at": format_timestamp(began + timedelta(seconds=bar * width)),
            "rows": rows[bar, False] + rows[bar, True],
            "isUndo": rows[bar, True] > 0,
        }
        for bar in range(last + 1)
    ]
