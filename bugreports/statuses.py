"""Which status may follow which, and the words clients know."""

OPEN, IN_PROGRESS, RESOLVED, IGNORED = "open", "in_progress", "resolved", "ignored"
STATUSES = (OPEN, IN_PROGRESS, RESOLVED, IGNORED)
CLOSED = (RESOLVED, IGNORED)

DUPLICATE = "duplicate"
RESOLUTION_KINDS = ("fixed", DUPLICATE, "wont_fix", "not_a_bug", "cannot_reproduce", "needs_info_expired")
PRIORITIES = ("critical", "high", "medium", "low")

# From each status to these; staying where one is always goes and changes nothing.
_MOVES: dict[str, frozenset[str]] = {
    OPEN: frozenset({IN_PROGRESS, RESOLVED, IGNORED}),
    IN_PROGRESS: frozenset({OPEN, RESOLVED, IGNORED}),
    RESOLVED: frozenset({OPEN, IN_PROGRESS}),
    IGNORED: frozenset({OPEN, IN_PROGRESS, RESOLVED}),
}


def can_transition(current: str, to: str) -> bool:
    return current == to or to in _MOVES[current]


def transition_error(current: str, to: str) -> str:
    """In a sentence, why not."""
    if (current, to) == (RESOLVED, IGNORED):
        return "A resolved report cannot be ignored; reopen it first"
    return f"A report that is {current.replace('_', ' ')} cannot become {to.replace('_', ' ')}"
