"""A run with what is needed to carry it out. Models come by way of an app registry, so that a data migration can hand
in the historical ones."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps as current_apps

from backfills.rules import Rule, get_rule


@dataclass(frozen=True)
class RunModels:
    run: Any
    batch: Any
    change: Any
    parked: Any
    claim: Any
    event: Any


@dataclass(frozen=True)
class RunContext:
    run_pk: int
    rule: Rule
    model: Any
    tables: RunModels

    @property
    def table_name(self) -> str:
        return self.model._meta.db_table


def run_models(apps: Any) -> RunModels:
    names = (
        "BackfillRun",
        "BackfillBatch",
        "BackfillChange",
        "BackfillRowError",
        "BackfillColumnLock",
        "BackfillEvent",
    )
    return RunModels(*(apps.get_model("backfills", name) for name in names))


def context_for_run(run: Any, apps: Any = current_apps) -> RunContext:
    """Raises RuleNotFound where no app knows the run's rule any more."""
    return context_for_rule(get_rule(run.rule_name), run.pk, apps)


def context_for_rule(rule: Rule, run_pk: int, apps: Any = current_apps) -> RunContext:
    return RunContext(run_pk, rule, apps.get_model(rule.model_label), run_models(apps))
