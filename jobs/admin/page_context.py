"""Template context of the pages of a run."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from jobs import states
from jobs.admin.actions import action_label, buttons
from jobs.admin.forms import AdjustForm
from jobs.progress import throughput
from jobs.run_control import RunControl
from jobs.transitions import has_active_lease

_MAX_SHOWN = 20


def run_page(
    run: Any, *, can_control: bool, can_undo: bool, progress: dict[str, Any], row_link: Callable[..., str]
) -> dict[str, Any]:
    conflicts = run.changes.conflicts().order_by("row_pk")
    row_errors = run.row_errors.unresolved()
    is_adjustable = can_control and run.state not in (states.UNDONE, states.FINALISED, states.CANCELLED)
    return {
        "run": run,
        "progress": progress,
        "bars": throughput(run),
        "batches": run.batches.all()[:12],
        "events": run.events.order_by("-pk")[:_MAX_SHOWN],
        "row_errors": [(one, row_link(run, one.row_pk, one.label)) for one in row_errors[:_MAX_SHOWN]],
        "conflicts": [(one, row_link(run, one.row_pk)) for one in conflicts[:_MAX_SHOWN]],
        "samples": [
            (sample["label"], orjson.dumps(sample["after"]).decode())
            for sample in (run.plan or {}).get("samples", [])[:5]
        ],
        "outcomes": _outcomes(run),
        "buttons": buttons(run, can_control=can_control, can_undo=can_undo),
        "can_control": can_control,
        "adjust": AdjustForm(initial={"batch_size": run.batch_size, "sleep_ratio": run.sleep_ratio})
        if is_adjustable
        else None,
    }


def confirmation(control: RunControl, run: Any, action: str, now: datetime) -> dict[str, Any]:
    """Return the context of a confirmation page: `lines` describe the effect in counts, `warnings` name problems."""
    lines: list[str] = []
    warnings: list[str] = []
    if action == "start":
        lines = [f"{outcome}." for outcome in _outcomes(run)]
        lines.append("The run does not start if the rows have changed since this plan was made.")
    elif action == "undo":
        outcomes = control.context_for_run(run).operation.preview_undo()
        lines = [f"{outcomes['restored']} values will be restored."]
        if outcomes["conflict"]:
            warnings.append(f"{outcomes['conflict']} values have changed since. They stay and are listed as conflicts.")
        if outcomes["gone"]:
            warnings.append(f"{outcomes['gone']} rows are gone.")
    elif action == "finalise":
        lines = ["Declares the values reliable. Flags of the field may then go to all callers."]
        warnings = control.finalise_errors(control.context_for_run(run), run)
    elif action == "cancel":
        lines = [f"{run.rows_done} of {run.total_rows} rows are done. They keep their values until the run is undone."]
    elif action == "force-unlock":
        lines = ["Releases the lease of the worker. It stops at its next batch, and another worker continues the run."]
        if has_active_lease(run, now):
            warnings = ["The worker was active less than a minute ago. Use this only if the worker is gone."]
    label = action_label(action)
    return {
        "title": f"{label} {run}?", "run": run, "submit": label, "is_dangerous": True, "lines": lines,
        "warnings": warnings,
    }  # fmt: skip


def _outcomes(run: Any) -> list[str]:
    """Return texts such as "1,103 rows to change" and "3 rows to skip: unchanged"."""
    counts = (run.plan or {}).get("outcomes", {})
    labels = {"change": "rows to change", "error": "rows with errors"}
    return [
        f"{count:,} {labels.get(outcome, outcome.replace('skip: ', 'rows to skip: '))}"
        for outcome, count in counts.items()
    ] or ["no row needs a value"]
