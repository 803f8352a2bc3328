"""The buttons of a run's page by state, and the function behind each."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from jobs import states
from jobs.run_control import Queueing, RunControl

_BY_STATE = {
    states.PLANNED: ("start", "plan-again", "cancel"),
    states.RUNNING: ("pause", "cancel", "force-unlock"),
    states.PAUSING: ("resume", "cancel", "force-unlock"),
    states.PAUSED: ("resume", "undo", "cancel"),
    states.CANCELLING: ("force-unlock",),
    states.CANCELLED: ("undo",),
    states.FAILED: ("resume", "undo", "cancel"),
    states.FINISHED: ("finalise", "undo"),
    states.FINALISED: ("reopen",),
    states.UNDOING: ("force-unlock",),
    states.UNDONE: (),
}
ACTIONS = frozenset(action for actions in _BY_STATE.values() for action in actions) | {"retry-failed"}
UNDO_ACTIONS = frozenset({"undo", "finalise", "reopen"})
CONFIRMED_ACTIONS = frozenset({"start", "cancel", "undo", "finalise", "force-unlock"})


def action_label(action: str) -> str:
    return action.replace("-", " ").capitalize()


def buttons(run: Any, *, can_control: bool, can_undo: bool) -> list[tuple[str, str, bool]]:
    """Return (action, label, has a confirmation page) for each action the user may run now."""
    offered = [action for action in _BY_STATE[run.state] if (can_undo if action in UNDO_ACTIONS else can_control)]
    if run.state == states.PLANNED and run.planned_at is None:
        offered = [action for action in offered if action != "start"]
    if run.phase == states.STARTING:
        offered = [action for action in offered if action == "cancel"]
    if run.state == states.CANCELLED and not run.changed_rows:
        offered = []
    return [(action, action_label(action), action in CONFIRMED_ACTIONS) for action in offered]


def run_action(control: RunControl, queueing: Queueing, run: Any, action: str, *, by: str, now: datetime) -> None:
    """Raises the RegistryError of the action."""
    kwargs: dict[str, Any] = {"by": by, "now": now}
    if action == "start":
        queueing.start(run.pk, plan_hash=run.plan_hash, **kwargs)
    elif action == "plan-again":
        queueing.recreate_plan(run.pk)
    elif action == "retry-failed":
        for pk in run.row_errors.unresolved().values_list("pk", flat=True):
            control.retry_row(pk, **kwargs)
    else:
        functions: dict[str, Callable[..., Any]] = {
            "pause": control.pause, "cancel": control.cancel, "finalise": control.finalise, "reopen": control.reopen,
            "resume": queueing.resume, "undo": queueing.undo, "force-unlock": queueing.force_unlock,
        }  # fmt: skip
        functions[action](run.pk, **kwargs)
