"""Change flags. Each change records user, time, reason and the states before and after in one transaction."""

import logging
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from common import reasons
from common.errors import Conflict, InvalidInput
from common.sentinels import UNSET, Unset
from common.text_validation import clean_text
from flags.guards import enforce_guards
from flags.models import FieldFlag, FlagChange
from flags.registry import FLAG_NAMES

log = logging.getLogger(__name__)


@transaction.atomic
def update_flag(
    *,
    name: str,
    by: Any,
    reason: str,
    now: datetime,
    everyone: bool | Unset | None = UNSET,
    percent: Decimal | float | str | Unset | None = UNSET,
    staff: bool | Unset = UNSET,
    authenticated: bool | Unset = UNSET,
    users: Collection[Any] | Unset = UNSET,
    groups: Collection[Group] | Unset = UNSET,
    note: str | Unset = UNSET,
) -> FlagChange | None:
    """Set the given settings and keep the others. Returns None if nothing changes.

    `by` is a User, or None for the system. Raises InvalidInput for an unknown flag, a percentage outside 0.0 to 99.9 or
    a missing or too long reason; Conflict if a guard blocks the new exposure.
    """
    validate_name(name)
    reason = clean_reason(reason)
    # The row lock makes a concurrent edit wait, so that its "before" is this "after". A deleted row is created again.
    flag, is_new = FieldFlag.objects.select_for_update().get_or_create(name=name, defaults={"everyone": False})
    before = None if is_new else state_of(flag)
    changes = {"everyone": everyone, "staff": staff, "authenticated": authenticated}
    if note is not UNSET:
        changes["note"] = clean_text(note, field="note")
    if percent is not UNSET:
        changes["percent"] = clean_percent(percent)
    for field, value in changes.items():
        if value is not UNSET:
            setattr(flag, field, value)
    if users is not UNSET:
        flag.users.set(users)
    if groups is not UNSET:
        flag.groups.set(groups)
    after = state_of(flag)
    if after == before:
        return None
    enforce_guards(name, before, after)
    flag.save()
    return _record(name, before, after, by=by, reason=reason, now=now)


@transaction.atomic
def restore_flag(*, change: FlagChange, by: Any, reason: str, now: datetime) -> FlagChange | None:
    """Restore the state before `change`. Returns None if the flag has it already.

    Deleted users and groups are left out. Raises Conflict if the flag did not exist before the change.
    """
    state = change.before
    if state is None:
        raise Conflict(f"Before this change the flag {change.flag_name} did not exist; there is nothing to restore")
    return update_flag(
        name=change.flag_name,
        by=by,
        reason=reason,
        now=now,
        everyone=state["everyone"],
        percent=state["percent"],
        staff=state["staff"],
        authenticated=state["authenticated"],
        users=get_user_model().objects.filter(public_id__in=state["users"]),
        groups=Group.objects.filter(name__in=state["groups"]),
        note=state["note"],
    )


@transaction.atomic
def turn_on_for_everyone(names: Collection[str], *, by: Any, reason: str, now: datetime) -> list[FlagChange]:
    """Turn on the flags that are off and return the recorded changes."""
    # Sorted, so that two concurrent calls cannot deadlock.
    changes = [update_flag(name=name, by=by, reason=reason, now=now, everyone=True) for name in sorted(names)]
    return [change for change in changes if change is not None]


@transaction.atomic
def remove_stale_flag(*, name: str, by: Any, reason: str, now: datetime) -> FlagChange:
    """Delete a flag that the code does not use. Raises Conflict for one that it uses."""
    flag = FieldFlag.objects.select_for_update().get(name=name)
    before = state_of(flag)
    flag.delete()
    return _record(name, before, None, by=by, reason=clean_reason(reason), now=now)


def state_of(flag: FieldFlag) -> dict[str, Any]:
    """Return the state in the recorded form; see `flags.audit`."""
    public_ids = [user.public_id for user in flag.users.all()]
    return state_with_members(flag, public_ids, [group.name for group in flag.groups.all()])


def state_with_members(flag: FieldFlag, public_ids: list[str], group_names: list[str]) -> dict[str, Any]:
    return {
        "everyone": flag.everyone,
        "percent": None if flag.percent is None else str(flag.percent),
        "staff": flag.staff,
        "authenticated": flag.authenticated,
        "users": sorted(public_ids),
        "groups": sorted(group_names),
        "note": flag.note,
    }


def validate_name(name: str) -> None:
    if name not in FLAG_NAMES:
        raise InvalidInput(f"There is no flag {name!r}; use one of {', '.join(sorted(FLAG_NAMES))}", field="name")


def clean_reason(reason: str) -> str:
    """Return the stripped reason. Raises InvalidInput if it is too long, or empty while FLAGS_REASON_REQUIRED."""
    return reasons.clean_reason(reason, purpose="the flag changes", is_required=settings.FLAGS_REASON_REQUIRED)


def clean_percent(percent: Decimal | float | str | None) -> Decimal | None:
    if percent is None:
        return None
    try:
        share = Decimal(str(percent))
        is_valid = 0 <= share < 100 and share == round(share, 1)
    except InvalidOperation:
        is_valid = False
    if not is_valid:
        raise InvalidInput(
            f"percent must be 0.0 to 99.9 with at most one decimal, not {percent}; for 100 % choose on for everyone",
            field="percent",
        )
    return round(share, 1)


def _record(name: str, before: Any, after: Any, *, by: Any, reason: str, now: datetime) -> FlagChange:
    log.info("flag changed", extra={"flag": name, "by": getattr(by, "public_id", None)})
    return FlagChange.objects.create(
        flag_name=name, before=before, after=after, reason=reason, changed_by=by, changed_at=now
    )
