"""What can go wrong around a backfill."""

from common.errors import Conflict, NotFound


class RuleUnknown(NotFound):
    """No app has registered a rule of that name."""

    code = "rule_unknown"


class FieldHeld(Conflict):
    """Another run works on the same column; the message names it."""

    code = "field_held"


class MoveRefused(Conflict):
    """A run in its state cannot do what was asked."""

    code = "move_refused"


class NothingToDo(Conflict):
    """No row is concerned; the run stays planned."""

    code = "nothing_to_do"


class PlanMoved(Conflict):
    """The rows are no longer what the plan was made from."""

    code = "plan_moved"


class RunTaken(Conflict):
    """Another worker holds the run."""

    code = "run_taken"
