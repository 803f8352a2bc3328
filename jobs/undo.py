"""Take back what a run wrote, where it still is what the run wrote."""

from collections import Counter
from datetime import datetime
from typing import Any

from backfills.engine.bisection import bisect_failures
from backfills.engine.ledger import MIN_PK, restore_changes
from backfills.engine.run_context import RunContext


def undo_next_rows(job: RunContext, run: Any, *, now: datetime) -> tuple[list[int], Counter[str]]:
    """The next rows by key and the outcomes of their values. A row the database refuses to restore is a conflict."""
    last = MIN_PK if run.undo_cursor_pk is None else run.undo_cursor_pk
    ledger = job.tables.change.objects.filter(run_id=run.pk)
    # Several values of a row stand side by side; distinct in SQL would read the whole ledger first.
    values = ledger.filter(row_pk__gt=last).order_by("row_pk").values_list("row_pk", flat=True)
    pks = list(dict.fromkeys(values[: run.batch_size * len(job.rule.fields)]))[: run.batch_size]
    if not pks:
        return [], Counter()
    outcomes: Counter[str] = Counter()
    before = {pk: previous for previous, pk in zip([last, *pks], pks, strict=False)}

    def put_back(some: Any) -> None:
        found = restore_changes(job, after_pk=before[some[0]], to_pk=some[-1], by=run.requested_by, now=now)
        outcomes.update(found)

    for pk, _ in bisect_failures(pks, put_back):
        outcomes["conflict"] += ledger.filter(row_pk=pk, outcome="").update(outcome="conflict")
    return pks, outcomes
