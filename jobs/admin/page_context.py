"""What the pages of a run show."""

from datetime import datetime
from typing import Any

import orjson

from backfills import states
from backfills.admin.actions import buttons
from backfills.admin.forms import AdjustForm
from backfills.admin.ledger import row_link
from backfills.engine.ledger import preview_undo
from backfills.engine.run_context import context_for_run
from backfills.engine.transitions import has_active_lease
from backfills.models import BackfillRun
from backfills.progress import run_progress, throughput
from backfills.rules import get_rule
from backfills.run_control import finalise_errors
from common.errors import NotFound

_SHOWN = 20


def run_page(run: BackfillRun, user: Any, now: datetime) -> dict[str, Any]:
    may_steer = user.has_perm("backfills.steer_backfillrun")
    conflicts = run.changes.conflicts().order_by("row_pk")
    return {
        "run": run,
        "rule_title": _title_of(run),
        "figures": run_progress(run, now),
        "bars": throughput(run),
        "batches": run.batches.all()[:12],
        "events": run.events.order_by("-pk")[:_SHOWN],
        "parked": [(one, row_link(run.rule_name, one.row_pk, one.label)) for one in run.parked.open()[:_SHOWN]],
        "conflicts": [(one, row_link(run.rule_name, one.row_pk)) for one in conflicts[:_SHOWN]],
        "samples": [
            (sample["label"], orjson.dumps(sample["after"]).decode())
            for sample in (run.plan or {}).get("samples", [])[:5]
        ],
        "outcomes": _outcomes(run),
        "buttons": buttons(run, may_steer=may_steer, may_undo=user.has_perm("backfills.undo_backfillrun")),
        "may_steer": may_steer,
        "adjust": AdjustForm(initial={"batch_size": run.batch_size, "sleep_ratio": run.sleep_ratio})
        if may_steer and run.state not in (states.UNDONE, states.FINALISED, states.CANCELLED)
        else None,
    }


def confirmation(run: BackfillRun, verb: str, now: datetime) -> dict[str, Any]:
    """What the verb will do, in counts, and what speaks against it."""
    lines: list[str] = []
    against: list[str] = []
    if verb == "start":
        lines = [f"{sentence}." for sentence in _outcomes(run)]
        lines.append("It refuses to begin if the rows are no longer what this plan was made from.")
    elif verb == "undo":
        outcomes = preview_undo(context_for_run(run))
        lines = [f"{outcomes['restored']} values will be put back to what they were."]
        against = [f"{outcomes['conflict']} values were changed since and will stay; they are listed as conflicts."] * (
            outcomes["conflict"] > 0
        ) + [f"{outcomes['gone']} rows are gone."] * (outcomes["gone"] > 0)
    elif verb == "finalise":
        lines = ["From then on the rest of the system counts on the values; flags may go to everyone."]
        against = finalise_errors(context_for_run(run), run)
    elif verb == "cancel":
        lines = [f"{run.rows_done} of {run.total_rows} rows are done; they stay so until the run is undone."]
    elif verb == "force":
        lines = ["The run is taken from its worker, which stops at its next batch, and given to another."]
        if has_active_lease(run, now):
            against = ["Its worker was heard of a moment ago; force is for workers that are gone."]
    return {"title": f"{verb.capitalize()} {run}?", "run": run, "verb": verb, "lines": lines, "against": against}


def _outcomes(run: BackfillRun) -> list[str]:
    """Such as "1,103 rows to change", "3 rows to leave: already right"."""
    counts = (run.plan or {}).get("outcomes", {})
    words = {"change": "rows to change", "bad": "rows that cannot be done"}
    return [f"{n:,} {words.get(what, what.replace('skip: ', 'rows to leave: '))}" for what, n in counts.items()] or [
        "no row needs a value"
    ]


def _title_of(run: BackfillRun) -> str:
    try:
        return get_rule(run.rule_name).title
    except NotFound:
        return f"{run.rule_name}, a rule no app knows any more"
