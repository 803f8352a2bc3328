"""The operation of a rule, and the context of a run. Data migrations pass the registry of their historical models."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps as current_apps

from backfills.engine.evaluation import evaluate_rule, row_label
from backfills.engine.planning import make_plan
from backfills.rules import ORIGIN, ActionRule, Row, Rule, get_rule
from jobs.bisection import bisect_failures
from jobs.ledger import MIN_PK, Ledger
from jobs.operations import Change, Evaluation
from jobs.run_context import RunContext, RunModels
from jobs.states import RUNNING


@dataclass(frozen=True)
class RuleOperation:
    """The `jobs.operations.Operation` of a rule."""

    rule: Rule
    model: Any
    models: RunModels
    run_pk: int

    @property
    def max_changes_per_row(self) -> int:
        return len(self.rule.fields)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.models.change, self.run_pk, self.model, self.rule.origin_columns, ORIGIN)

    def version_error(self, run: Any) -> str:
        if run.rule_version == self.rule.version:
            return ""
        return (
            f"The run was made with version {run.rule_version} of the rule; the rule is version {self.rule.version} now"
        )

    def wait_reason(self) -> str:
        if not isinstance(self.rule, ActionRule):
            return ""
        run = self.models.run.objects.get(pk=self.run_pk)
        if run.state != RUNNING or self.select(run, after_pk=run.cursor_pk).exists():
            return ""
        return self.rule.pending_reason(run_pk=self.run_pk)

    def select(self, run: Any, *, after_pk: int | None = None) -> Any:
        rows = self.model._base_manager.filter(pk__gt=MIN_PK if after_pk is None else after_pk)
        if run.max_pk is not None:
            rows = rows.filter(pk__lte=run.max_pk)
        return self.rule.filter_queryset(rows, run.parameters).order_by("pk")

    def read(self, rows: Any) -> list[Row]:
        return list(rows.values(*self.rule.columns_read))

    def evaluate(self, run: Any, rows: Sequence[Row]) -> Evaluation:
        return evaluate_rule(self.rule, rows, run.parameters)

    def row_label(self, row: Row) -> str:
        return row_label(self.rule, row)

    def write(self, changes: Sequence[Change], *, by: str, now: datetime) -> dict[int, str]:
        rejected = bisect_failures(changes, lambda some: self._write(some, by=by, now=now))
        return {change.pk: reason for change, reason in rejected}

    def _write(self, changes: Sequence[Change], *, by: str, now: datetime) -> int:
        if not isinstance(self.rule, ActionRule):
            return self.ledger.write(changes)
        [field] = self.rule.fields
        pairs = [(change.pk, change.values[field]) for change in changes]
        return self.ledger.record(field, self.rule.perform(pairs, run_pk=self.run_pk, by=by, now=now))

    def undo(self, *, after_pk: int, to_pk: int, by: str, now: datetime) -> Counter[str]:
        rule = self.rule
        if not isinstance(rule, ActionRule):
            return self.ledger.restore(rule.fields, after_pk=after_pk, to_pk=to_pk)
        return self.ledger.undo_recorded(lambda pairs: rule.undo(pairs, by=by, now=now), after_pk=after_pk, to_pk=to_pk)

    def preview_undo(self) -> Counter[str]:
        if isinstance(self.rule, ActionRule):
            return self.ledger.preview_undo_recorded()
        return self.ledger.preview_undo(self.rule.fields)

    def plan_digest(self, run: Any, *, now: datetime, on_progress: Callable[[int], None]) -> str:
        context = RunContext(self.run_pk, self.models, self)
        return make_plan(context, self.rule, run, now=now, tries_writes=False, on_progress=on_progress).digest


def run_models(apps: Any = current_apps) -> RunModels:
    names = (
        "BackfillRun", "BackfillBatch", "BackfillChange", "BackfillRowError", "BackfillColumnLock", "BackfillEvent",
        "BackfillGlobalPause",
    )  # fmt: skip
    return RunModels(*(apps.get_model("backfills", name) for name in names), name_field="rule_name")


def context_for_run(run: Any, apps: Any = current_apps) -> RunContext:
    """Raises RuleNotFound if no app registers the rule of the run any more."""
    return context_for_rule(get_rule(run.rule_name), run.pk, apps)


def context_for_rule(rule: Rule, run_pk: int, apps: Any = current_apps) -> RunContext:
    models = run_models(apps)
    return RunContext(run_pk, models, RuleOperation(rule, apps.get_model(rule.model_label), models, run_pk))
