"""The buttons of a run's page: which there are in its state, and the verb behind each."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from backfills import queueing, run_control, states
from backfills.models import BackfillRun

_BY_STATE = {
    states.PLANNED: ("start", "plan-again", "cancel"),
    states.RUNNING: ("pause", "cancel", "force"),
    states.PAUSING: ("resume", "cancel", "force"),
    states.PAUSED: ("resume", "undo", "cancel"),
    states.CANCELLING: ("force",),
    states.CANCELLED: ("undo",),
    states.FAILED: ("resume", "undo", "cancel"),
    states.FINISHED: ("finalise", "undo"),
    states.FINALISED: ("reopen",),
    states.UNDOING: ("force",),
    states.UNDONE: (),
}
ACTIONS = frozenset(verb for verbs in _BY_STATE.values() for verb in verbs) | {"retry-parked"}
UNDO_ACTIONS = frozenset({"undo", "finalise", "reopen"})
CONFIRMED_ACTIONS = frozenset({"start", "cancel", "undo", "finalise", "force"})


def buttons(run: BackfillRun, *, may_steer: bool, may_undo: bool) -> list[tuple[str, bool]]:
    """(verb, whether it asks for confirmation) for what this person may do with the run now."""
    offered = [verb for verb in _BY_STATE[run.state] if (may_undo if verb in UNDO_ACTIONS else may_steer)]
    if run.state == states.PLANNED and run.planned_at is None:
        offered = [verb for verb in offered if verb != "start"]
    if run.state == states.CANCELLED and not run.changed_rows:
        offered = []
    return [(verb, verb in CONFIRMED_ACTIONS) for verb in offered]


def run_action(run: BackfillRun, verb: str, *, by: str, now: datetime) -> None:
    """Raises whatever the verb refuses with."""
    said: dict[str, Any] = {"by": by, "now": now}
    if verb == "start":
        queueing.start(run.pk, plan_hash=run.plan_hash, **said)
    elif verb == "plan-again":
        queueing.recreate_plan(run.pk)
    elif verb == "retry-parked":
        for pk in run.parked.open().values_list("pk", flat=True):
            run_control.retry_row(pk, **said)
    else:
        verbs: dict[str, Callable[..., Any]] = {
            "pause": run_control.pause, "cancel": run_control.cancel, "finalise": run_control.finalise,
            "reopen": run_control.reopen, "resume": queueing.resume, "undo": queueing.undo, "force": queueing.force,
        }  # fmt: skip
        verbs[verb](run.pk, **said)
