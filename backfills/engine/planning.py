"""Make the plan of a run: evaluate the real rows without changing them."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from backfills.engine.evaluation import row_label
from backfills.rules import ActionRule, Row, Rule
from jobs.json_casts import to_json_text
from jobs.operations import Evaluation
from jobs.selection import iter_chunks

if TYPE_CHECKING:
    from jobs.run_context import RunContext

_MAX_SAMPLES = 10
MAX_STORED_ERRORS = 1000


@dataclass
class Plan:
    """`outcomes` counts rows by result, `groups` counts rows to change by the rule's group.

    `digest` is the hash of rows, values and reasons: an equal digest means that nothing has changed.
    """

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    samples: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    digest: str = ""

    def as_document(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "outcomes": dict(self.outcomes.most_common()),
            "groups": dict(sorted(self.groups.items())),
            "samples": self.samples,
            "errors": self.errors,
        }


class _RollBack(Exception):
    """Rolls back the trial writes."""


def make_plan(
    context: "RunContext",
    rule: Rule,
    run: Any,
    *,
    now: datetime,
    tries_writes: bool = True,
    on_progress: Callable[[int], None] = lambda rows: None,
) -> Plan:
    """Evaluate every selected row. With `tries_writes`, write each change and roll it back, so that one pass finds
    every row that the database would reject."""
    plan = Plan()
    digest = hashlib.sha256(to_json_text([run.rule_name, run.rule_version, run.parameters]).encode())
    for rows in iter_chunks(context, run):
        evaluation = context.operation.evaluate(run, rows)
        is_tried = tries_writes and not isinstance(rule, ActionRule)
        rejected = _try_writes(context, evaluation, now) if is_tried else {}
        _add_rows(plan, rule, rows, evaluation, rejected)
        for change in evaluation.changes:
            digest.update(to_json_text([change.pk, change.values]).encode())
        digest.update(to_json_text([rows[-1]["pk"], dict(evaluation.skipped), evaluation.errors]).encode())
        on_progress(len(rows))
    plan.digest = digest.hexdigest()
    return plan


def _try_writes(context: "RunContext", evaluation: Evaluation, now: datetime) -> dict[int, str]:
    rejected: dict[int, str] = {}
    try:
        with transaction.atomic():
            rejected = context.operation.write(evaluation.changes, by="", now=now)
            raise _RollBack
    except _RollBack:
        return rejected


def _add_rows(plan: Plan, rule: Rule, rows: list[Row], evaluation: Evaluation, rejected: dict[int, str]) -> None:
    by_pk = {row["pk"]: row for row in rows}
    errors = {**dict(evaluation.errors), **rejected}
    plan.rows += len(rows)
    plan.outcomes.update({f"skip: {reason}": count for reason, count in evaluation.skipped.items()})
    if errors:
        plan.outcomes["error"] += len(errors)
    for pk, reason in errors.items():
        if len(plan.errors) < MAX_STORED_ERRORS:
            plan.errors.append({"pk": pk, "label": row_label(rule, by_pk[pk]), "reason": reason[:500]})
    for pk, values in evaluation.changes:
        if pk in rejected:
            continue
        row = by_pk[pk]
        plan.outcomes["change"] += 1
        if rule.group_field:
            plan.groups[str(row[rule.group_field])] += 1
        if len(plan.samples) < _MAX_SAMPLES:
            before = {name: row.get(name) for name in values}
            plan.samples.append({"pk": pk, "label": row_label(rule, row), "before": before, "after": values})
