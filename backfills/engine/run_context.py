"""A run with what is needed to carry it out. Models come by way of an app registry, so that a data migration can hand
in the historical ones."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps as current_apps

from backfills.rules import Rule, rule_named


@dataclass(frozen=True)
class Tables:
    run: Any
    batch: Any
    change: Any
    parked: Any
    claim: Any
    event: Any


@dataclass(frozen=True)
class Job:
    run_pk: int
    rule: Rule
    model: Any
    tables: Tables

    @property
    def table_name(self) -> str:
        return self.model._meta.db_table


def tables_in(apps: Any) -> Tables:
    names = ("BackfillRun", "BackfillBatch", "BackfillChange", "BackfillParked", "BackfillClaim", "BackfillEvent")
    return Tables(*(apps.get_model("backfills", name) for name in names))


def job_of(run: Any, apps: Any = current_apps) -> Job:
    """Raises RuleUnknown where no app knows the run's rule any more."""
    return job_for(rule_named(run.rule_name), run.pk, apps)


def job_for(rule: Rule, run_pk: int, apps: Any = current_apps) -> Job:
    return Job(run_pk, rule, apps.get_model(rule.model_label), tables_in(apps))
