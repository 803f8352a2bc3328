"""Set and list the rollout stages of flags: off, staff, 1 %, 10 %, 50 %, 100 %."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from common.errors import InvalidInput
from flags.audit import State, describe_state
from flags.editing import state_with_members, update_flag, validate_name
from flags.guards import RolloutBlock, current_block
from flags.models import FieldFlag, FlagChange
from flags.registry import GATED_FIELDS, GatedField
from flags.stages import Stage, current_stage, increases_exposure_above, stage_settings, stages_for

__all__ = [
    "FlagRollout",
    "Stage",
    "StageOption",
    "current_stage",
    "flags_on",
    "list_rollouts",
    "set_stage",
    "switch_off",
]


@dataclass(frozen=True)
class StageOption:
    """A stage of a flag. `blocked_reason` is "" unless a guard blocks it."""

    stage: Stage
    is_current: bool
    blocked_reason: str = ""


@dataclass(frozen=True)
class FlagRollout:
    """The current stage of a flag. `since` and `by` are None for a flag that was never changed."""

    field: GatedField
    stage: Stage
    description: str
    targeted: str  # users and groups that have the flag in addition to the stage
    since: datetime | None
    by: str | None
    block: RolloutBlock | None
    options: tuple[StageOption, ...]

    @property
    def is_off(self) -> bool:
        return self.stage is Stage.OFF


def set_stage(*, name: str, stage: Stage | str, by: Any, reason: str, now: datetime) -> FlagChange | None:
    """Set the stage of a flag. Returns None if the flag has it already.

    "staff" is staff only, 1, 10 and 50 are staff and that percentage of callers, 100 is everyone. Targeted users and
    groups are kept; they have the flag in every stage but off.

    Raises InvalidInput for an unknown flag, a stage it does not have, or a bad reason; Conflict if a guard blocks it.
    """
    validate_name(name)
    stages = stages_for(name)
    if stage not in stages:
        raise InvalidInput(f"{name} has the stages {', '.join(stages)}; {stage!s} is none of them", field="stage")
    return update_flag(name=name, by=by, reason=reason, now=now, **stage_settings(Stage(stage)))


@transaction.atomic
def switch_off(names: Collection[str], *, by: Any, reason: str, now: datetime) -> list[FlagChange]:
    """Turn off several flags in one transaction and return the recorded changes."""
    # Sorted as in `turn_on_for_everyone`, so that two concurrent calls cannot deadlock.
    changes = [set_stage(name=name, stage=Stage.OFF, by=by, reason=reason, now=now) for name in sorted(names)]
    return [change for change in changes if change is not None]


def flags_on() -> dict[str, State]:
    """Return the states of the flags that are on for at least some callers."""
    states = {name: state for name, state in _states().items() if current_stage(state) is not Stage.OFF}
    return {field.flag: states[field.flag] for field in GATED_FIELDS if field.flag in states}


def list_rollouts() -> list[FlagRollout]:
    """Return all gated flags, with two queries and those of the guards."""
    states = _states()
    last_changes = {change.flag_name: change for change in FlagChange.objects.last_exposure_changes()}
    return [_rollout_of(field, states.get(field.flag), last_changes.get(field.flag)) for field in GATED_FIELDS]


def _states() -> dict[str, State]:
    flags = FieldFlag.objects.with_member_names()
    return {flag.name: state_with_members(flag, flag.user_public_ids, flag.group_names) for flag in flags}


def _rollout_of(field: GatedField, state: State | None, last_change: FlagChange | None) -> FlagRollout:
    stage = Stage.OFF if state is None else current_stage(state)
    block = current_block(field.flag)
    return FlagRollout(
        field=field,
        stage=stage,
        description=describe_state(state),
        targeted=_describe_targeted(state),
        since=last_change.changed_at if last_change else None,
        by=_author(last_change),
        block=block,
        options=tuple(_options(stages_for(field.flag), stage, state, block)),
    )


def _author(change: FlagChange | None) -> str | None:
    if change is None:
        return None
    return change.changed_by.email if change.changed_by else "system"


def _options(
    stages: Iterable[Stage], current: Stage, state: State | None, block: RolloutBlock | None
) -> Iterable[StageOption]:
    for stage in stages:
        is_blocked = block is not None and increases_exposure_above(block.above_percent, state, _state_in(stage))
        yield StageOption(
            stage, is_current=stage is current, blocked_reason=block.reason if block and is_blocked else ""
        )


def _state_in(stage: Stage) -> State:
    return stage_settings(stage) | {"users": [], "groups": [], "note": ""}


def _describe_targeted(state: State | None) -> str:
    if state is None or not (state["users"] or state["groups"]):
        return ""
    settings = {"everyone": None, "percent": None, "staff": False, "authenticated": False}
    return describe_state(dict(state) | settings)
