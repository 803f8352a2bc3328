"""Leases on rows: one worker owns a row until its lease expires.

Each function is one UPDATE that names the old state, so of two workers one wins. The functions take a queryset, also of
historical models; `rows` selects the rows and the states in which a lease makes sense.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q


class Lease(models.Model):
    """Columns of a row that a worker leases."""

    lease_token = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


@dataclass(frozen=True)
class LeaseFields:
    """Names of the two columns, for models that have other names."""

    token: str = "lease_token"  # noqa: S105 - a column
    expires_at: str = "lease_expires_at"


_DEFAULT_FIELDS = LeaseFields()


def lease_expired_q(now: datetime, *, max_seconds: float, fields: LeaseFields = _DEFAULT_FIELDS) -> Q:
    """Match rows without a valid lease.

    A lease that ends more than `max_seconds` after `now` is invalid too: a host with a wrong clock wrote it.
    """
    expires_at = fields.expires_at
    latest = now + timedelta(seconds=max_seconds)
    return Q(**{expires_at: None}) | Q(**{f"{expires_at}__lte": now}) | Q(**{f"{expires_at}__gt": latest})


def acquire_lease(
    rows: models.QuerySet[Any], *, now: datetime, seconds: float, fields: LeaseFields = _DEFAULT_FIELDS, **changes: Any
) -> uuid.UUID | None:
    """Lease one row and write `changes` to it. Return the token, or None if the row is leased or not selected."""
    token = uuid.uuid4()
    free = rows.filter(lease_expired_q(now, max_seconds=2 * seconds, fields=fields))
    expires_at = now + timedelta(seconds=seconds)
    return token if free.update(**{fields.token: token, fields.expires_at: expires_at}, **changes) else None


def extend_lease(
    rows: models.QuerySet[Any],
    token: uuid.UUID,
    *,
    now: datetime,
    seconds: float,
    fields: LeaseFields = _DEFAULT_FIELDS,
    **changes: Any,
) -> bool:
    """Move the end of the lease to `seconds` after `now`. False if another worker has the row."""
    leased = rows.filter(**{fields.token: token})
    return bool(leased.update(**{fields.expires_at: now + timedelta(seconds=seconds)}, **changes))


def release_lease(
    rows: models.QuerySet[Any], token: uuid.UUID, *, fields: LeaseFields = _DEFAULT_FIELDS, **changes: Any
) -> bool:
    """End the lease and write `changes`. False if another worker has the row."""
    leased = rows.filter(**{fields.token: token})
    return bool(leased.update(**{fields.token: None, fields.expires_at: None}, **changes))


def release_expired_leases(
    rows: models.QuerySet[Any],
    *,
    now: datetime,
    max_seconds: float,
    fields: LeaseFields = _DEFAULT_FIELDS,
    **changes: Any,
) -> int:
    """End leases whose worker stopped extending them. Return the number of rows."""
    leased = rows.exclude(**{fields.token: None})
    expired = leased.filter(lease_expired_q(now, max_seconds=max_seconds, fields=fields))
    return expired.update(**{fields.token: None, fields.expires_at: None}, **changes)
