"""Statuses, priorities, resolution kinds and allowed transitions."""

OPEN, IN_PROGRESS, RESOLVED, IGNORED = "open", "in_progress", "resolved", "ignored"
STATUSES = (OPEN, IN_PROGRESS, RESOLVED, IGNORED)
CLOSED = (RESOLVED, IGNORED)

DUPLICATE = "duplicate"
RESOLUTION_KINDS = ("fixed", DUPLICATE, "wont_fix", "not_a_bug", "cannot_reproduce", "needs_info_expired")
PRIORITIES = ("critical", "high", "medium", "low")

# Allowed transitions. A transition to the same status is always allowed and changes nothing.
_TRANSITIONS: dict[str, frozenset[str]] = {
    OPEN: frozenset({IN_PROGRESS, RESOLVED, IGNORED}),
    IN_PROGRESS: frozenset({OPEN, RESOLVED, IGNORED}),
    RESOLVED: frozenset({OPEN, IN_PROGRESS}),
    IGNORED: frozenset({OPEN, IN_PROGRESS, RESOLVED}),
}


def can_transition(current: str, to: str) -> bool:
    return current == to or to in _TRANSITIONS[current]


def transition_error(current: str, to: str) -> str:
    """Return the error message of a transition that is not allowed."""
    if (current, to) == (RESOLVED, IGNORED):
        return "A resolved report cannot be ignored; reopen it first"
    return f"A report that is {current.replace('_', ' ')} cannot become {to.replace('_', ' ')}"
