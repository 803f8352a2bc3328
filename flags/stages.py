"""The stages of a rollout, and the exposure of a flag state. Pure."""

from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from flags.audit import State
from flags.registry import GATED_FIELDS_BY_FLAG


class Stage(StrEnum):
    """Stages in ascending order. Individually targeted users and groups have the flag in every stage but off."""

    OFF = "off"
    STAFF = "staff"
    PERCENT_1 = "1"
    PERCENT_10 = "10"
    PERCENT_50 = "50"
    EVERYONE = "100"
    CUSTOM = "custom"  # any other settings; cannot be selected

    @property
    def label(self) -> str:
        return f"{self} %" if self.isdigit() else str(self)


_SHARES = {Stage.PERCENT_1: 1, Stage.PERCENT_10: 10, Stage.PERCENT_50: 50}
_STAGES = tuple(stage for stage in Stage if stage is not Stage.CUSTOM)


class Exposure(NamedTuple):
    """The percentage of each kind of caller that has the flag, without staff and individually targeted ones."""

    users: Decimal
    services: Decimal
    anonymous: Decimal


def stages_for(flag_name: str) -> tuple[Stage, ...]:
    """Return the stages of a flag: only off and 100 for work without a caller."""
    field = GATED_FIELDS_BY_FLAG[flag_name]
    return _STAGES if field.is_targetable else (Stage.OFF, Stage.EVERYONE)


def stage_settings(stage: Stage) -> dict[str, Any]:
    """Return the settings of a stage. Off clears the percentage, so that a new rollout starts at the first stage."""
    if stage in (Stage.OFF, Stage.EVERYONE):
        return {"everyone": stage is Stage.EVERYONE, "percent": None, "staff": False, "authenticated": False}
    return {"everyone": None, "percent": _SHARES.get(stage), "staff": True, "authenticated": False}


def current_stage(state: State) -> Stage:
    """Return the stage of a recorded state (see `flags.audit`)."""
    if state["everyone"] is not None:
        return Stage.EVERYONE if state["everyone"] else Stage.OFF
    share = _share(state)
    if not (share or state["staff"] or state["authenticated"] or state["users"] or state["groups"]):
        return Stage.OFF
    if state["authenticated"] or not state["staff"]:
        return Stage.CUSTOM
    by_share = {Decimal(0): Stage.STAFF} | {Decimal(share): stage for stage, share in _SHARES.items()}
    return by_share.get(share, Stage.CUSTOM)


def exposure_of(state: State | None) -> Exposure:
    zero, hundred = Decimal(0), Decimal(100)
    if state is None or state["everyone"] is False:
        return Exposure(zero, zero, zero)
    if state["everyone"]:
        return Exposure(hundred, hundred, hundred)
    share = _share(state)
    return Exposure(hundred if state["authenticated"] else share, share, zero)


def increases_exposure_above(limit_percent: int, before: State | None, after: State) -> bool:
    """True if the exposure of some kind of caller grows, to more than the limit."""
    return any(
        now > max(limit_percent, then) for then, now in zip(exposure_of(before), exposure_of(after), strict=True)
    )


def _share(state: State) -> Decimal:
    return Decimal(state["percent"] or 0)
