"""States of a run and the transitions between them. Pure: runs of data migrations have no model methods."""

from typing import Final

from jobs.errors import TransitionNotAllowed

PLANNED: Final = "planned"
RUNNING: Final = "running"
PAUSING: Final = "pausing"
PAUSED: Final = "paused"
CANCELLING: Final = "cancelling"
CANCELLED: Final = "cancelled"
FAILED: Final = "failed"
FINISHED: Final = "finished"
FINALISED: Final = "finalised"
UNDOING: Final = "undoing"
UNDONE: Final = "undone"

TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    PLANNED: frozenset({RUNNING, CANCELLED}),
    RUNNING: frozenset({PAUSING, PAUSED, CANCELLING, CANCELLED, FAILED, FINISHED}),
    PAUSING: frozenset({PAUSED, RUNNING, CANCELLING, CANCELLED}),
    PAUSED: frozenset({RUNNING, CANCELLED, UNDOING}),
    CANCELLING: frozenset({CANCELLED}),
    FAILED: frozenset({RUNNING, CANCELLED, UNDOING}),
    CANCELLED: frozenset({UNDOING}),
    FINISHED: frozenset({FINALISED, UNDOING}),
    FINALISED: frozenset({FINISHED}),
    UNDOING: frozenset({UNDONE}),
    UNDONE: frozenset(),
}
STATES: Final = tuple(TRANSITIONS)
# Phases of a planned run in which a worker checks its rows. Shown instead of the state, never stored.
PLANNING: Final = "planning"
STARTING: Final = "starting"
# States in which a worker has work to do.
ACTIVE: Final = frozenset({RUNNING, PAUSING, CANCELLING, UNDOING})
# States in which the columns are locked: part of the rows is written, or more may be written at any time.
COLUMN_LOCKING: Final = frozenset({RUNNING, PAUSING, PAUSED, CANCELLING, FAILED, UNDOING})

_NEXT_STEPS: Final = {
    PLANNED: "start or cancel it",
    RUNNING: "pause or cancel it first",
    PAUSING: "wait for the pause, or use Force unlock",
    PAUSED: "resume, cancel or undo it",
    CANCELLING: "wait for the cancellation, or use Force unlock",
    FAILED: "resume, cancel or undo it",
    CANCELLED: "undo it, or start a new run",
    FINISHED: "finalise or undo it",
    FINALISED: "reopen it first",
    UNDOING: "wait for the undo, or use Force unlock if it makes no progress",
    UNDONE: "start a new run",
}


def validate_transition(state: str, to: str) -> None:
    """Raise TransitionNotAllowed, with the allowed actions, unless `state` may become `to`."""
    if to not in TRANSITIONS[state]:
        raise TransitionNotAllowed(f"The run is {state} and cannot become {to}: {_NEXT_STEPS[state]}")


def stop_target(state: str) -> str:
    """Return the state in which a requested stop ends; any other state is returned unchanged."""
    return {PAUSING: PAUSED, CANCELLING: CANCELLED}.get(state, state)
