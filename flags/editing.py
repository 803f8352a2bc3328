"""Edit a flag and record who did it, when, why, and what it was before: in one transaction."""

import logging
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from common.errors import Conflict, InvalidInput
from common.text_validation import clean_text
from flags.guards import enforce_guards
from flags.models import FieldFlag, FlagChange
from flags.registry import FLAG_NAMES

log = logging.getLogger(__name__)

MAX_REASON_CHARS: Final = 200


class _Keep:
    """Stands for "leave as it is" where None means something."""


UNSET: Final = _Keep()


@transaction.atomic
def update_flag(
    *,
    name: str,
    by: Any,
    reason: str,
    now: datetime,
    everyone: bool | _Keep | None = UNSET,
    percent: Decimal | float | str | _Keep | None = UNSET,
    staff: bool | _Keep = UNSET,
    authenticated: bool | _Keep = UNSET,
    users: Collection[Any] | _Keep = UNSET,
    groups: Collection[Group] | _Keep = UNSET,
    note: str | _Keep = UNSET,
) -> FlagChange | None:
    """Set what is given, keep the rest; None if that changes nothing. `by` is a User, or None for the system.

    Raises Invalid for an unknown flag, a percentage outside 0.0 to 99.9, or a reason that is missing or too long;
    Conflict where `flags.guards` keeps the flag from reaching that many.
    """
    validate_name(name)
    reason = clean_reason(reason)
    # The row lock makes a second edit wait, so that its "before" is our "after". A missing row comes back.
    flag, is_new = FieldFlag.objects.select_for_update().get_or_create(name=name, defaults={"everyone": False})
    before = None if is_new else state_of(flag)
    wishes = {"everyone": everyone, "staff": staff, "authenticated": authenticated}
    if not isinstance(note, _Keep):
        wishes["note"] = clean_text(note, field="note")
    if not isinstance(percent, _Keep):
        wishes["percent"] = clean_percent(percent)
    for field, value in wishes.items():
        if not isinstance(value, _Keep):
            setattr(flag, field, value)
    if not isinstance(users, _Keep):
        flag.users.set(users)
    if not isinstance(groups, _Keep):
        flag.groups.set(groups)
    after = state_of(flag)
    if after == before:
        return None
    enforce_guards(name, before, after)
    flag.save()
    return _record(name, before, after, by=by, reason=reason, now=now)


@transaction.atomic
def restore_flag(*, change: FlagChange, by: Any, reason: str, now: datetime) -> FlagChange | None:
    """Put back what the flag was before `change`; None if it is that already.

    People and groups that are gone by now stay out. Raises Conflict if there was no state before.
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
    """Those that were not yet; the changes that took."""
    # Always in one order, so that two such edits at once cannot lock each other out.
    changes = [update_flag(name=name, by=by, reason=reason, now=now, everyone=True) for name in sorted(names)]
    return [change for change in changes if change is not None]


@transaction.atomic
def remove_stale_flag(*, name: str, by: Any, reason: str, now: datetime) -> FlagChange:
    """Delete a flag the code no longer asks for. Raises Conflict for one it does."""
    flag = FieldFlag.objects.select_for_update().get(name=name)
    before = state_of(flag)
    flag.delete()
    return _record(name, before, None, by=by, reason=clean_reason(reason), now=now)


def state_of(flag: FieldFlag) -> dict[str, Any]:
    """The state as it is recorded; see `flags.audit`."""
    return {
        "everyone": flag.everyone,
        "percent": None if flag.percent is None else str(flag.percent),
        "staff": flag.staff,
        "authenticated": flag.authenticated,
        "users": sorted(person.public_id for person in flag.users.all()),
        "groups": sorted(group.name for group in flag.groups.all()),
        "note": flag.note,
    }


def validate_name(name: str) -> None:
    if name not in FLAG_NAMES:
        raise InvalidInput(f"There is no flag {name!r}; there are {', '.join(sorted(FLAG_NAMES))}", field="name")


def clean_reason(reason: str) -> str:
    reason = clean_text(reason, field="reason", max_length=MAX_REASON_CHARS, is_single_line=True).strip()
    if not reason and settings.FLAGS_REASON_REQUIRED:
        raise InvalidInput("reason is required: say why the flag changes", field="reason")
    return reason


def clean_percent(percent: Decimal | float | str | None) -> Decimal | None:
    if percent is None:
        return None
    try:
        share = Decimal(str(percent))
        succeeded = 0 <= share < 100 and share == round(share, 1)
    except InvalidOperation:
        succeeded = False
    if not succeeded:
        raise InvalidInput(
            f"percent must be 0.0 to 99.9 with one decimal at most, not {percent}; for 100 % switch on for everyone",
            field="percent",
        )
    return round(share, 1)


def _record(name: str, before: Any, after: Any, *, by: Any, reason: str, now: datetime) -> FlagChange:
    log.info("flag changed", extra={"flag": name, "by": getattr(by, "public_id", None)})
    return FlagChange.objects.create(
        flag_name=name, before=before, after=after, reason=reason, changed_by=by, changed_at=now
    )
