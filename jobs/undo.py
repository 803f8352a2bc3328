"""Undo the next rows of a run."""

from collections import Counter
from datetime import datetime
from typing import Any

from jobs.bisection import bisect_failures
from jobs.ledger import MIN_PK
from jobs.run_context import RunContext


def undo_next_rows(context: RunContext, run: Any, *, now: datetime) -> tuple[list[int], Counter[str]]:
    """Undo the next rows by key and return their keys and the outcomes of their values.

    A row that the database refuses to restore is a conflict.
    """
    last = MIN_PK if run.undo_cursor_pk is None else run.undo_cursor_pk
    ledger = context.models.change.objects.filter(run_id=run.pk)
    # Not DISTINCT in SQL, which would read the whole ledger first: values of one row are adjacent in the index.
    values = ledger.filter(row_pk__gt=last).order_by("row_pk").values_list("row_pk", flat=True)
    limit = run.batch_size * context.operation.max_changes_per_row
    pks = list(dict.fromkeys(values[:limit]))[: run.batch_size]
    if not pks:
        return [], Counter()
    outcomes: Counter[str] = Counter()
    previous_pks = {pk: previous for previous, pk in zip([last, *pks], pks, strict=False)}

    def restore(some: Any) -> None:
        outcomes.update(
            context.operation.undo(after_pk=previous_pks[some[0]], to_pk=some[-1], by=run.requested_by, now=now)
        )

    for pk, _ in bisect_failures(pks, restore):
        outcomes["conflict"] += ledger.filter(row_pk=pk, outcome="").update(outcome="conflict")
    return pks, outcomes
