"""Check and start a planned run."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Max

from common.errors import InvalidInput
from jobs import states
from jobs.errors import NoMatchingRows, StalePlan
from jobs.run_context import RunContext
from jobs.transitions import lock_run, transition


def validate_pace(*, batch_size: int, sleep_ratio: float, run: Any) -> None:
    """Raise InvalidInput outside the bounds, which are the validators of the columns."""
    for name, value in (("batch_size", batch_size), ("sleep_ratio", sleep_ratio)):
        field = type(run)._meta.get_field(name)
        bounds = [validator.limit_value for validator in field.validators if hasattr(validator, "limit_value")]
        if not min(bounds) <= value <= max(bounds):
            raise InvalidInput(f"{name} must be between {min(bounds)} and {max(bounds)}, not {value}", field=name)


def start_run(
    context: RunContext, *, by: str, now: datetime, plan_hash: str | None = None,
    baseline_p95_ms: float | None = None, on_progress: Callable[[int], None] = lambda rows: None, **columns: Any,
) -> None:  # fmt: skip
    """Set a planned run to running and save `columns` with it.

    Raises ColumnLocked, TransitionNotAllowed, NoMatchingRows; StalePlan if the rows no longer give `plan_hash`.
    """
    models, operation = context.models, context.operation
    run = models.run.objects.get(pk=context.run_pk)
    states.validate_transition(run.state, states.RUNNING)
    if plan_hash is not None:
        if error := operation.version_error(run):
            raise StalePlan(error)
        if operation.plan_digest(run, now=now, on_progress=on_progress) != plan_hash:
            raise StalePlan("The rows have changed since the plan was made. Make a new plan and check it.")
    with transaction.atomic():
        run = lock_run(models, context.run_pk)
        found = operation.select(run).order_by().aggregate(max_pk=Max("pk"), rows=Count("pk"))
        run.max_pk, run.total_rows = found["max_pk"], found["rows"]
        if not run.total_rows:
            raise NoMatchingRows(f"{getattr(run, models.name_field)}: no row needs a value")
        transition(
            models, run, states.RUNNING, now=now, actor=by, message=f"Started for {run.total_rows} rows",
            started_at=now, baseline_p95_ms=baseline_p95_ms, **columns,
        )  # fmt: skip
