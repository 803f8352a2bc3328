"""Write a run down, plan it, start it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Max

from backfills import states
from backfills.engine.planning import Plan, make_plan
from backfills.engine.run_context import RunContext, RunModels, context_for_rule
from backfills.engine.selection import select_rows
from backfills.engine.transitions import lock_run, record_event, transition
from backfills.errors import NoMatchingRows, StalePlan, TransitionNotAllowed
from backfills.rules import Parameters, Rule
from common.errors import InvalidInput
from common.text_validation import clean_text

MAX_REASON_CHARS = 200


def create_run(
    rule: Rule, tables: RunModels, table_name: str, *, parameters: Parameters, by: str, reason: str, now: datetime,
    batch_size: int = 100, sleep_ratio: float = 0,
) -> Any:  # fmt: skip
    """A planned run; it does nothing yet. Raises Invalid naming a parameter, or an empty reason."""
    reason = clean_reason(reason, why="the rows are filled")
    run = tables.run(
        rule_name=rule.name, rule_version=rule.version, parameters=rule.clean_parameters(parameters),
        table_name=table_name, fields=list(rule.fields), state_changed_at=now, reason=reason, requested_by=by,
        created_at=now, batch_size=batch_size, sleep_ratio=sleep_ratio,
    )  # fmt: skip
    validate_pace(batch_size=batch_size, sleep_ratio=sleep_ratio, run=run)
    run.save(force_insert=True)
    record_event(tables, run.pk, states.PLANNED, reason, now=now, actor=by)
    return run


def clean_reason(reason: str, *, why: str) -> str:
    """Raises Invalid where it says nothing, or too much."""
    reason = clean_text(reason, field="reason", max_length=MAX_REASON_CHARS, is_single_line=True).strip()
    if not reason:
        raise InvalidInput(f"reason is required: say why {why}", field="reason")
    return reason


def validate_pace(*, batch_size: int, sleep_ratio: float, run: Any) -> None:
    """Raises Invalid outside the bounds of the columns, which their validators know."""
    for name, value in (("batch_size", batch_size), ("sleep_ratio", sleep_ratio)):
        field = type(run)._meta.get_field(name)
        bounds = [validator.limit_value for validator in field.validators if hasattr(validator, "limit_value")]
        if not min(bounds) <= value <= max(bounds):
            raise InvalidInput(f"{name} must be between {min(bounds)} and {max(bounds)}, not {value}", field=name)


def plan_run(job: RunContext, *, now: datetime, on_progress: Callable[[int], None] = lambda rows: None) -> Plan:
    """Make the plan of a planned run and keep it there. Raises TransitionNotAllowed for any other."""
    run = job.tables.run.objects.get(pk=job.run_pk)
    if run.state != states.PLANNED:
        raise TransitionNotAllowed(f"The run is {run.state}; only a planned one is planned again")
    plan = make_plan(job, run, now=now, on_progress=on_progress)
    job.tables.run.objects.filter(pk=run.pk, state=states.PLANNED).update(
        plan=plan.as_document(), plan_hash=plan.digest, planned_at=now, total_rows=plan.rows, error=""
    )
    return plan


def start_run(
    job: RunContext, *, by: str, now: datetime, plan_hash: str | None = None, baseline_p95_ms: float | None = None
) -> None:
    """A planned run begins.

    Raises ColumnLocked, TransitionNotAllowed, NoMatchingRows; StalePlan where the rows no longer yield `plan_hash`.
    """
    run = job.tables.run.objects.get(pk=job.run_pk)
    states.validate_transition(run.state, states.RUNNING)
    if plan_hash is not None:
        if run.rule_version != job.rule.version:
            raise StalePlan(
                f"The plan was made with version {run.rule_version} of the rule; it is {job.rule.version} now"
            )
        if make_plan(job, run, now=now, tries_writes=False).digest != plan_hash:
            raise StalePlan("The rows are not what they were when the plan was made: look at a new plan")
    with transaction.atomic():
        run = lock_run(job.tables, job.run_pk)
        found = select_rows(job, run).order_by().aggregate(max_pk=Max("pk"), rows=Count("pk"))
        run.max_pk, run.total_rows = found["max_pk"], found["rows"]
        if not run.total_rows:
            raise NoMatchingRows(f"{run.rule_name}: no row needs a value")
        transition(
            job.tables, run, states.RUNNING, now=now, actor=by, text=f"Started for {run.total_rows} rows",
            started_at=now, baseline_p95_ms=baseline_p95_ms, rule_version=job.rule.version,
        )  # fmt: skip


def create_run_context(rule: Rule, apps: Any, **run: Any) -> RunContext:
    """`create_run` and the job for it, with the models of `apps`."""
    nowhere = context_for_rule(rule, 0, apps)
    return context_for_rule(rule, create_run(rule, nowhere.tables, nowhere.table_name, **run).pk, apps)
