"""The rows a run has before it, and what its rule wants of each."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from backfills.engine.ledger import MIN_PK, Change
from backfills.engine.run_context import RunContext
from backfills.rules import Row, Skip

log = logging.getLogger(__name__)

_ROWS_AT_ONCE = 1000
UNCHANGED = "already right"


@dataclass
class Evaluation:
    """What the rule said of some rows: changes to write, reasons for leaving rows alone, rows it could not do."""

    changes: list[Change] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[int, str]] = field(default_factory=list)


def select_rows(job: RunContext, run: Any, *, after_pk: int | None = None) -> QuerySet[Any]:
    """By key, from behind `after_pk` to the last row there was at the start."""
    rows = job.model._base_manager.filter(pk__gt=MIN_PK if after_pk is None else after_pk)
    if run.max_pk is not None:
        rows = rows.filter(pk__lte=run.max_pk)
    return job.rule.filter_queryset(rows, run.parameters).order_by("pk")


def read(job: RunContext, rows: QuerySet[Any]) -> list[Row]:
    return list(rows.values(*job.rule.columns_read))


def evaluate_rule(job: RunContext, run: Any, rows: Iterable[Row]) -> Evaluation:
    wishes = Evaluation()
    for row in rows:
        try:
            answer = job.rule.compute_values(row, run.parameters)
        except Exception as error:
            # One bad row must not stop the rest: it is parked with what the rule said.
            log.warning("backfill rule failed", extra={"rule": job.rule.name, "row": row["pk"]}, exc_info=True)
            wishes.bad.append((row["pk"], f"{type(error).__name__}: {error}"))
            continue
        if isinstance(answer, Skip):
            wishes.skipped[answer.reason] += 1
        elif unknown := set(answer) - set(job.rule.fields):
            wishes.bad.append((row["pk"], f"the rule may not write {', '.join(sorted(unknown))}"))
        elif values := {name: value for name, value in answer.items() if name not in row or row[name] != value}:
            wishes.changes.append(Change(row["pk"], values))
        else:
            wishes.skipped[UNCHANGED] += 1
    return wishes


def iter_chunks(job: RunContext, run: Any) -> Iterator[list[Row]]:
    """All concerned rows by key, as they are when their page is read."""
    last: int | None = None
    while rows := read(job, select_rows(job, run, after_pk=last)[:_ROWS_AT_ONCE]):
        yield rows
        last = rows[-1]["pk"]


def rows_done(run: Any) -> int:
    return run.changed_rows + run.skipped_rows + run.failed_rows


def row_label(job: RunContext, row: Row) -> str:
    return str(row.get(job.rule.label_field) or row["pk"])[:200]
