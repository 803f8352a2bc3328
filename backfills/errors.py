"""What can go wrong around a backfill."""

from common.errors import Conflict, NotFound


class RuleNotFound(NotFound):
    """No app has registered a rule of that name."""

    code = "rule_unknown"


class ColumnLocked(Conflict):
    """Another run works on the same column; the message names it."""

    code = "field_held"


class TransitionNotAllowed(Conflict):
    """A run in its state cannot do what was asked."""

    code = "move_refused"


class NoMatchingRows(Conflict):
    """No row is concerned; the run stays planned."""

    code = "nothing_to_do"


class StalePlan(Conflict):
    """The rows are no longer what the plan was made from."""

    code = "plan_moved"


class LeaseLost(Conflict):
    """Another worker holds the run."""

    code = "run_taken"
