"""The rules that decide whether a flag is on for a caller. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from flags.bucketing import is_in_percentage
from flags.registry import FLAG_NAMES


@dataclass(frozen=True)
class EnabledFlags:
    """The flags that are on for one caller during one request.

    `version` is the version of the flag rows they were evaluated from, or ""; see `flags.evaluation.is_current`.
    """

    names: frozenset[str]
    version: str = field(default="", compare=False)

    def is_on(self, name: str) -> bool:
        return name in self.names


ALL_OFF = EnabledFlags(frozenset())
ALL_ON = EnabledFlags(FLAG_NAMES)


class EvaluationContext(NamedTuple):
    """The caller of a request.

    `targeting_key` is the public id of a user or `service:<key>`, and None for anonymous callers, for whom only
    `everyone` applies. `user_pk` is None for a service.
    """

    targeting_key: str | None = None
    user_pk: int | None = None
    is_staff: bool = False


class FlagSettings(NamedTuple):
    """The settings of one flag."""

    name: str
    everyone: bool | None
    percent: Decimal | None
    staff: bool
    authenticated: bool
    user_pks: tuple[int, ...] = ()
    group_pks: tuple[int, ...] = ()


def evaluate(
    flags: Iterable[FlagSettings], context: EvaluationContext, group_pks: Collection[int] = ()
) -> EnabledFlags:
    """Return the flags that are on for the caller, a member of the groups `group_pks`."""
    return EnabledFlags(frozenset(flag.name for flag in flags if is_on(flag, context, group_pks)))


def is_on(flag: FlagSettings, context: EvaluationContext, group_pks: Collection[int] = ()) -> bool:
    if flag.everyone is not None:
        return flag.everyone
    if context.targeting_key is None:
        return False
    return (
        (flag.authenticated and context.user_pk is not None)
        or (flag.staff and context.is_staff)
        or (context.user_pk is not None and context.user_pk in flag.user_pks)
        or any(group in flag.group_pks for group in group_pks)
        or (bool(flag.percent) and is_in_percentage(flag.name, context.targeting_key, flag.percent))
    )
