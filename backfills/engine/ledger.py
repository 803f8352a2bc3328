"""Preview of an undo for callers outside the app."""

from collections import Counter

from jobs.run_context import RunContext


def preview_undo(context: RunContext) -> Counter[str]:
    """Count the values that an undo would restore now (restored), and those it would not (conflict, gone)."""
    return context.operation.preview_undo()
