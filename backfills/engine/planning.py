"""What a run would do, found out on the real rows without changing one."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from backfills.engine.json_casts import to_json_text
from backfills.engine.ledger import write_collecting_errors
from backfills.engine.run_context import RunContext
from backfills.engine.selection import Evaluation, evaluate_rule, iter_chunks, row_label
from backfills.rules import ActionRule, Row

_SAMPLES = 10
MAX_STORED_ERRORS = 1000


@dataclass
class Plan:
    """`outcomes` counts rows by what would become of them, `groups` rows to change by the rule's group.

    `digest` stands for rows, values and reasons: the same again means that nothing has moved.
    """

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    samples: list[dict[str, Any]] = field(default_factory=list)
    bad: list[dict[str, Any]] = field(default_factory=list)
    digest: str = ""

    def as_document(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "outcomes": dict(self.outcomes.most_common()),
            "groups": dict(sorted(self.groups.items())),
            "samples": self.samples,
            "bad": self.bad,
        }


class _TriedOut(Exception):
    """Rolls back what was written to see whether the database takes it."""


def make_plan(
    job: RunContext,
    run: Any,
    *,
    now: datetime,
    tries_writes: bool = True,
    on_progress: Callable[[int], None] = lambda rows: None,
) -> Plan:
    """Every concerned row goes by the rule; with `tries_writes` each change is written and rolled back, so that one
    pass names every row that the database would refuse."""
    plan = Plan()
    digest = hashlib.sha256(to_json_text([run.rule_name, run.rule_version, run.parameters]).encode())
    for rows in iter_chunks(job, run):
        wishes = evaluate_rule(job, run, rows)
        refused = _try(job, wishes, now) if tries_writes and not isinstance(job.rule, ActionRule) else {}
        _add(plan, job, rows, wishes, refused)
        for change in wishes.changes:
            digest.update(to_json_text([change.pk, change.values]).encode())
        digest.update(to_json_text([rows[-1]["pk"], dict(wishes.skipped), wishes.bad]).encode())
        on_progress(len(rows))
    plan.digest = digest.hexdigest()
    return plan


def _try(job: RunContext, wishes: Evaluation, now: datetime) -> dict[int, str]:
    refused: dict[int, str] = {}
    try:
        with transaction.atomic():
            refused = write_collecting_errors(job, wishes.changes, by="", now=now)
            raise _TriedOut
    except _TriedOut:
        return refused


def _add(plan: Plan, job: RunContext, rows: list[Row], wishes: Evaluation, refused: dict[int, str]) -> None:
    by_pk = {row["pk"]: row for row in rows}
    bad = {**dict(wishes.bad), **refused}
    plan.rows += len(rows)
    plan.outcomes.update({f"skip: {reason}": count for reason, count in wishes.skipped.items()})
    if bad:
        plan.outcomes["bad"] += len(bad)
    for pk, reason in bad.items():
        if len(plan.bad) < MAX_STORED_ERRORS:
            plan.bad.append({"pk": pk, "label": row_label(job, by_pk[pk]), "reason": reason[:500]})
    for pk, values in wishes.changes:
        if pk in refused:
            continue
        row = by_pk[pk]
        plan.outcomes["change"] += 1
        if job.rule.group_field:
            plan.groups[str(row[job.rule.group_field])] += 1
        if len(plan.samples) < _SAMPLES:
            before = {name: row.get(name) for name in values}
            plan.samples.append({"pk": pk, "label": row_label(job, row), "before": before, "after": values})
