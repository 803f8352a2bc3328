"""The states of a run and the moves between them. Pure: data migrations use runs whose model has no methods."""

from typing import Final

from backfills.errors import TransitionNotAllowed

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
# A worker has something to do.
ACTIVE: Final = frozenset({RUNNING, PAUSING, CANCELLING, UNDOING})
# The columns belong to the run: half of the work is done, or may go on any moment.
COLUMN_LOCKING: Final = frozenset({RUNNING, PAUSING, PAUSED, CANCELLING, FAILED, UNDOING})

_WAYS_OUT: Final = {
    PLANNED: "start or cancel it",
    RUNNING: "pause or cancel it first",
    PAUSING: "wait for the pause, or force it",
    PAUSED: "resume, cancel or undo it",
    CANCELLING: "wait for it, or force it",
    FAILED: "resume, cancel or undo it",
    CANCELLED: "undo it, or start a new run",
    FINISHED: "finalise or undo it",
    FINALISED: "reopen it first",
    UNDOING: "it must be undone to the end; a run that stands still is sent on by force",
    UNDONE: "start a new run",
}


def validate_transition(state: str, to: str) -> None:
    """Raises TransitionNotAllowed with the ways out of `state`."""
    if to not in TRANSITIONS[state]:
        raise TransitionNotAllowed(f"The run is {state} and cannot become {to}: {_WAYS_OUT[state]}")


def stop_target(state: str) -> str:
    """Where a wish for a stop ends when the worker has seen it."""
    return {PAUSING: PAUSED, CANCELLING: CANCELLED}.get(state, state)
