"""The stages of a rollout, and how many callers a state of a flag reaches: values in, values out."""

from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from flags.audit import State
from flags.registry import GATED_FIELDS_BY_FLAG


class Stage(StrEnum):
    """In their order. People and groups named on the flag have it in every stage but off."""

    OFF = "off"
    STAFF = "staff"
    PERCENT_1 = "1"
    PERCENT_10 = "10"
    PERCENT_50 = "50"
    EVERYONE = "100"
    CUSTOM = "custom"  # anything else somebody set by hand; never a stage to go to

    @property
    def label(self) -> str:
        return f"{self} %" if self.isdigit() else str(self)


_SHARES = {Stage.PERCENT_1: 1, Stage.PERCENT_10: 10, Stage.PERCENT_50: 50}
_STAGES = tuple(stage for stage in Stage if stage is not Stage.CUSTOM)


class Exposure(NamedTuple):
    """The percent of each kind of caller that has the flag; staff and those named do not count."""

    people: Decimal
    services: Decimal
    anonymous: Decimal


def stages_for(flag_name: str) -> tuple[Stage, ...]:
    """The stages that make sense: what serves nobody in particular is off or on."""
    field = GATED_FIELDS_BY_FLAG[flag_name]
    return _STAGES if field.is_targetable else (Stage.OFF, Stage.EVERYONE)


def stage_settings(stage: Stage) -> dict[str, Any]:
    """All that a stage says of a flag. Off forgets the share, so that the way back starts at the first stage again."""
    if stage in (Stage.OFF, Stage.EVERYONE):
        return {"everyone": stage is Stage.EVERYONE, "percent": None, "staff": False, "authenticated": False}
    return {"everyone": None, "percent": _SHARES.get(stage), "staff": True, "authenticated": False}


def current_stage(state: State) -> Stage:
    """The stage a recorded state (`flags.audit`) is in."""
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
    none, all_of_them = Decimal(0), Decimal(100)
    if state is None or state["everyone"] is False:
        return Exposure(none, none, none)
    if state["everyone"]:
        return Exposure(all_of_them, all_of_them, all_of_them)
    share = _share(state)
    return Exposure(all_of_them if state["authenticated"] else share, share, none)


def increases_exposure_above(limit_percent: int, before: State | None, after: State) -> bool:
    """Whether some kind of caller gets more than the limit, and more than it had."""
    return any(
        now > max(limit_percent, then) for then, now in zip(exposure_of(before), exposure_of(after), strict=True)
    )


def _share(state: State) -> Decimal:
    return Decimal(state["percent"] or 0)
