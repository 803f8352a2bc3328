"""Move a run from state to state, with the event that says so; columns are held while a run may write them."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from backfills.engine.run_context import RunModels
from backfills.errors import ColumnLocked
from backfills.states import COLUMN_LOCKING, FAILED, validate_transition

log = logging.getLogger(__name__)


def lock_run(tables: RunModels, run_pk: int) -> Any:
    """The run, which nobody else moves until the transaction ends."""
    return tables.run.objects.select_for_update().get(pk=run_pk)


def transition(
    tables: RunModels, run: Any, to: str, *, now: datetime, actor: str = "", text: str, **columns: Any
) -> None:
    """`run` is locked. Raises TransitionNotAllowed; ColumnLocked when its columns would be taken again and are not free."""
    validate_transition(run.state, to)
    was_holding = run.state in COLUMN_LOCKING
    for name, value in {
        "state": to,
        "state_changed_at": now,
        "wait_reason": "",
        "next_check_at": None,
        **columns,
    }.items():
        setattr(run, name, value)
    if to in COLUMN_LOCKING and not was_holding:
        lock_columns(tables, run)
    if was_holding and to not in COLUMN_LOCKING:
        tables.claim.objects.filter(run_id=run.pk).delete()
        run.worker = run.lease_expires_at = None
    run.save()
    record_event(tables, run.pk, to, text, now=now, actor=actor)
    log.info("backfill moved", extra={"run": run.pk, "rule": run.rule_name, "state": to})


def lock_columns(tables: RunModels, run: Any) -> None:
    try:
        with transaction.atomic():
            tables.claim.objects.bulk_create(
                [tables.claim(table_name=run.table_name, field=field, run_id=run.pk) for field in sorted(run.fields)]
            )
    except IntegrityError:
        taken = tables.claim.objects.filter(table_name=run.table_name, field__in=run.fields).select_related("run")
        held = [f"{one.field} (run {one.run_id} of {one.run.rule_name}, {one.run.state})" for one in taken]
        raise ColumnLocked(
            f"Another run works on {run.table_name}: {', '.join(held) or 'it has ended this moment, try again'}"
        ) from None


def record_event(tables: RunModels, run_pk: int, kind: str, text: str, *, now: datetime, actor: str = "") -> None:
    tables.event.objects.create(run_id=run_pk, kind=kind, actor=actor, text=text[:500], at=now)


def has_active_lease(run: Any, now: datetime) -> bool:
    return run.lease_expires_at is not None and now < run.lease_expires_at <= _latest_lease(now)


def lease_expired_q(now: datetime) -> Q:
    """The opposite, for queries. A hold that ends later than any hold can was given by a clock that ran ahead."""
    return Q(lease_expires_at=None) | Q(lease_expires_at__lte=now) | Q(lease_expires_at__gt=_latest_lease(now))


def lease_expiry(now: datetime) -> datetime:
    """Until when a worker that is heard of now holds its run."""
    return now + timedelta(seconds=settings.BACKFILLS_LEASE_SECONDS)


def mark_failed(tables: RunModels, run: Any, text: str, *, now: datetime) -> None:
    transition(tables, run, FAILED, now=now, text=text, error=text[:500], worker=None, lease_expires_at=None)


def _latest_lease(now: datetime) -> datetime:
    return now + timedelta(seconds=2 * settings.BACKFILLS_LEASE_SECONDS)
