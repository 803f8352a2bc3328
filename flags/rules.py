"""Whether a flag is on for a caller: values in, values out."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from flags.bucketing import is_in_percentage
from flags.registry import FLAG_NAMES


@dataclass(frozen=True)
class EnabledFlags:
    """The flags that are on for one caller during one request.

    `version` is that of the flag rows they were computed from, where it matters; see `flags.evaluation.is_current`.
    """

    names: frozenset[str]
    version: str = field(default="", compare=False)

    def is_on(self, name: str) -> bool:
        return name in self.names


ALL_OFF = EnabledFlags(frozenset())
ALL_ON = EnabledFlags(FLAG_NAMES)


class EvaluationContext(NamedTuple):
    """Who asks. `targeting_key` is a person's public id or `service:<key>`; None for anonymous: only `everyone` counts.

    `user_pk` is None for a service.
    """

    targeting_key: str | None = None
    user_pk: int | None = None
    is_staff: bool = False


class FlagSettings(NamedTuple):
    """What is set on a flag. A plain tuple, so that it goes through the cache small and fast."""

    name: str
    everyone: bool | None
    percent: Decimal | None
    staff: bool
    authenticated: bool
    user_pks: tuple[int, ...] = ()
    group_pks: tuple[int, ...] = ()


def evaluate(
    states: Iterable[FlagSettings], caller: EvaluationContext, caller_groups: Collection[int] = ()
) -> EnabledFlags:
    """The flags on for the caller, who is a member of the groups `caller_groups` (primary keys)."""
    return EnabledFlags(frozenset(state.name for state in states if is_on(state, caller, caller_groups)))


def is_on(state: FlagSettings, caller: EvaluationContext, caller_groups: Collection[int] = ()) -> bool:
    if state.everyone is not None:
        return state.everyone
    if caller.targeting_key is None:
        return False
    return (
        (state.authenticated and caller.user_pk is not None)
        or (state.staff and caller.is_staff)
        or (caller.user_pk is not None and caller.user_pk in state.user_pks)
        or any(group in state.group_pks for group in caller_groups)
        or (bool(state.percent) and is_in_percentage(state.name, caller.targeting_key, state.percent))
    )
