"""Change the state of a run, record the event, and lock columns while the run may write them."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from common import leases
from jobs.errors import ColumnLocked
from jobs.run_context import RunModels
from jobs.states import COLUMN_LOCKING, FAILED, validate_transition

log = logging.getLogger(__name__)


def lock_run(models: RunModels, run_pk: int) -> Any:
    """Return the run, locked until the transaction ends."""
    return models.run.objects.select_for_update().get(pk=run_pk)


def transition(
    models: RunModels, run: Any, to: str, *, now: datetime, actor: str = "", message: str, **columns: Any
) -> None:
    """Change the state of a locked run and save `columns` with it.

    Raises TransitionNotAllowed; ColumnLocked if the new state locks the columns and another run has locked them.
    """
    validate_transition(run.state, to)
    had_locks = run.state in COLUMN_LOCKING
    values = {"state": to, "state_changed_at": now, "wait_reason": "", "next_check_at": None, **columns}
    for name, value in values.items():
        setattr(run, name, value)
    if to in COLUMN_LOCKING and not had_locks:
        lock_columns(models, run)
    if had_locks and to not in COLUMN_LOCKING:
        models.column_lock.objects.filter(run_id=run.pk).delete()
        run.lease_token = run.lease_expires_at = None
    run.save()
    record_event(models, run.pk, to, message, now=now, actor=actor)
    log.info("run state changed", extra={"run": run.pk, "operation": getattr(run, models.name_field), "state": to})


def lock_columns(models: RunModels, run: Any) -> None:
    """Raises ColumnLocked, naming the other run."""
    lock = models.column_lock
    try:
        with transaction.atomic():
            lock.objects.bulk_create(
                [lock(table_name=run.table_name, field=field, run_id=run.pk) for field in sorted(run.fields)]
            )
    except IntegrityError:
        others = lock.objects.filter(table_name=run.table_name, field__in=run.fields).select_related("run")
        locked = [
            f"{other.field} (run {other.run_id} of {getattr(other.run, models.name_field)}, {other.run.state})"
            for other in others
        ]
        raise ColumnLocked(
            f"Another run has locked columns of {run.table_name}: {', '.join(locked)}. Finish or cancel it first."
            if locked
            else f"Another run had locked columns of {run.table_name} and has just ended. Try again."
        ) from None


def record_event(
    models: RunModels, run_pk: int, event_type: str, message: str, *, now: datetime, actor: str = ""
) -> None:
    models.event.objects.create(
        run_id=run_pk, event_type=event_type, actor=actor, message=message[:500], created_at=now
    )


def has_active_lease(run: Any, now: datetime) -> bool:
    return run.lease_expires_at is not None and now < run.lease_expires_at <= _latest_expiry(now)


def lease_expired_q(now: datetime) -> Q:
    """Return the opposite of `has_active_lease` as a filter."""
    return leases.lease_expired_q(now, max_seconds=2 * settings.JOBS_LEASE_SECONDS)


def lease_expiry(now: datetime) -> datetime:
    """Return the end of a lease that is acquired or renewed at `now`."""
    return now + timedelta(seconds=settings.JOBS_LEASE_SECONDS)


def mark_failed(models: RunModels, run: Any, error: str, *, now: datetime) -> None:
    transition(models, run, FAILED, now=now, message=error, error=error[:500], lease_token=None, lease_expires_at=None)


def _latest_expiry(now: datetime) -> datetime:
    return now + timedelta(seconds=2 * settings.JOBS_LEASE_SECONDS)
