"""Change a flag and say why."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import User
from common.errors import Invalid, Missing
from common.plain_text import check_text
from flags.models import FieldFlag, FlagChange
from flags.registry import FLAG_NAMES

log = logging.getLogger(__name__)

_PLAIN_FIELDS = ("everyone", "staff", "authenticated")


def state_of(flag: FieldFlag) -> dict[str, Any]:
    """What decides about the flag, as JSON: {everyone, percent, staff, authenticated, users, groups}."""
    return {
        **{name: getattr(flag, name) for name in _PLAIN_FIELDS},
        "percent": str(flag.percent) if flag.percent is not None else None,
        "users": sorted(flag.users.values_list("email", flat=True)),
        "groups": sorted(flag.groups.values_list("name", flat=True)),
    }


def change_flag(name: str, wanted: dict[str, Any], *, by: User | None, reason: str, now: datetime) -> FieldFlag:
    """Set the given parts of a flag's state (the keys of `state_of`) and keep a record of it.

    Raises Missing for a flag nobody registered, Invalid for an absent reason or a share outside 0 to 99.9.
    """

    def apply(flag: FieldFlag) -> None:
        for field in _PLAIN_FIELDS:
            if field in wanted:
                setattr(flag, field, wanted[field])
        if "percent" in wanted:
            flag.percent = check_percent(wanted["percent"])
        flag.save()
        if "users" in wanted:
            flag.users.set(User.objects.filter(email__in=wanted["users"]))
        if "groups" in wanted:
            flag.groups.set(Group.objects.filter(name__in=wanted["groups"]))

    return record_change(name, apply, by=by, reason=reason, now=now)


@transaction.atomic
def record_change(
    name: str, apply: Callable[[FieldFlag], None], *, by: User | None, reason: str, now: datetime
) -> FieldFlag:
    """Run `apply` on the locked flag and write down what became of it; one that changes nothing leaves none."""
    reason = check_text(reason, field="reason", max_length=200, is_single_line=True).strip()
    if settings.FLAGS_REASON_REQUIRED and not reason:
        raise Invalid("reason must say why the flag changes", field="reason")
    flag = FieldFlag.objects.select_for_update().filter(name=name).first()
    if flag is None or name not in FLAG_NAMES:
        raise Missing(f"Flag not found: {name}")
    before = state_of(flag)
    apply(flag)
    after = state_of(flag)
    transaction.on_commit(flag.flush)
    if before != after:
        FlagChange.objects.create(
            flag_name=name, before=before, after=after, reason=reason, changed_by=by, changed_at=now
        )
        log.warning(
            "flag changed", extra={"flag": name, "to": flag.describe(), "by": by.public_id if by else "command"}
        )
    return flag


def restore_before(change: FlagChange, *, by: User | None, now: datetime, reason: str = "") -> FieldFlag:
    """Put a flag back to where it stood before a recorded change."""
    return change_flag(
        change.flag_name, change.before, by=by, now=now, reason=reason or f"back to before change {change.pk}"
    )


def turn_on_for_everyone(names: Sequence[str], *, by: User | None, reason: str, now: datetime) -> None:
    for name in sorted(names):
        change_flag(name, {"everyone": True}, by=by, reason=reason, now=now)


def check_percent(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        percent = Decimal(str(value)).quantize(Decimal("0.1"))
    except ArithmeticError as error:
        raise Invalid("percent must be a number", field="percent") from error
    if not 0 <= percent <= Decimal("99.9"):
        raise Invalid("percent must be 0 to 99.9; for 100 turn the flag on for everyone", field="percent")
    return percent
