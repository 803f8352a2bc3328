"""Create, plan and start the run of a rule."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from backfills.engine.planning import Plan, make_plan
from backfills.engine.run_context import context_for_rule, run_models
from backfills.rules import ActionRule, Parameters, Rule
from common.reasons import clean_reason
from jobs import run_setup, states
from jobs.errors import TransitionNotAllowed
from jobs.run_context import RunContext
from jobs.run_setup import validate_pace
from jobs.transitions import record_event


def create_run_context(
    rule: Rule, apps: Any, *, parameters: Parameters, by: str, reason: str, now: datetime, batch_size: int = 100,
    sleep_ratio: float = 0,
) -> RunContext:  # fmt: skip
    """Create a planned run with the models of `apps`. Raises InvalidInput naming a parameter, or an empty reason."""
    models = run_models(apps)
    reason = clean_reason(reason, purpose="the rows are filled")
    run = models.run(
        rule_name=rule.name, rule_version=rule.version, parameters=rule.clean_parameters(parameters),
        table_name=apps.get_model(rule.model_label)._meta.db_table, fields=list(rule.fields), state_changed_at=now,
        reason=reason, requested_by=by, created_at=now, batch_size=batch_size, sleep_ratio=sleep_ratio,
    )  # fmt: skip
    validate_pace(batch_size=batch_size, sleep_ratio=sleep_ratio, run=run)
    run.save(force_insert=True)
    record_event(models, run.pk, states.PLANNED, reason, now=now, actor=by)
    return context_for_rule(rule, run.pk, apps)


def plan_run(context: RunContext, *, now: datetime, on_progress: Callable[[int], None] = lambda rows: None) -> Plan:
    """Make and store the plan of a planned run. Raises TransitionNotAllowed in any other state."""
    runs = context.models.run.objects
    run = runs.get(pk=context.run_pk)
    if run.state != states.PLANNED:
        raise TransitionNotAllowed(f"The run is {run.state}; only a planned run can be planned again")
    plan = make_plan(context, context.operation.rule, run, now=now, on_progress=on_progress)
    runs.filter(pk=run.pk, state=states.PLANNED).update(
        plan=plan.as_document(), plan_hash=plan.digest, planned_at=now, total_rows=plan.rows, error=""
    )
    return plan


def start_run(
    context: RunContext, *, by: str, now: datetime, plan_hash: str | None = None, baseline_p95_ms: float | None = None,
    on_progress: Callable[[int], None] = lambda rows: None,
) -> None:  # fmt: skip
    """Start a planned run; see `jobs.run_setup.start_run`. A run without `plan_hash` takes today's rule version."""
    operation = context.operation
    if isinstance(operation.rule, ActionRule):
        run = context.models.run.objects.get(pk=context.run_pk)
        operation.rule.record_start(operation.select(run), run_pk=run.pk)
    run_setup.start_run(
        context, by=by, now=now, plan_hash=plan_hash, baseline_p95_ms=baseline_p95_ms, on_progress=on_progress,
        rule_version=operation.rule.version,
    )  # fmt: skip
