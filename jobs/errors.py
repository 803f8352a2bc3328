"""Errors of runs."""

from common.errors import Conflict


class ColumnLocked(Conflict):
    """Another run has locked the same column; the message names that run."""

    code = "field_held"


class TransitionNotAllowed(Conflict):
    """The state of the run does not allow the action."""

    code = "move_refused"


class NoMatchingRows(Conflict):
    """No row matches; the run stays planned."""

    code = "nothing_to_do"


class StalePlan(Conflict):
    """The rows have changed since the plan was made."""

    code = "plan_moved"


class LeaseLost(Conflict):
    """Another worker has the lease of the run."""

    code = "run_taken"
