"""Take a flag from stage to stage: off, staff, 1 %, 10 %, 50 %, 100 %."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from common.errors import InvalidInput
from flags.audit import State, describe_state
from flags.editing import state_of, update_flag, validate_name
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
    """A stage a flag could be in. `blocked_reason` says what keeps it from going there."""

    stage: Stage
    is_now: bool
    blocked_reason: str = ""


@dataclass(frozen=True)
class FlagRollout:
    """Where a flag stands. `since` and `by` are None for a flag that is as it was installed."""

    field: GatedField
    stage: Stage
    in_words: str
    named: str  # people and groups who have it beside the stage
    since: datetime | None
    by: str | None
    held: RolloutBlock | None
    steps: tuple[StageOption, ...]

    @property
    def is_off(self) -> bool:
        return self.stage is Stage.OFF


def set_stage(*, name: str, stage: Stage | str, by: Any, reason: str, now: datetime) -> FlagChange | None:
    """Take the flag to the stage, wherever it was; None if it is there.

    "staff" is staff alone, 1, 10 and 50 are staff and that share of all callers, 100 is everyone. People and groups
    named on the flag stay named: they have it in every stage but off.

    Raises Invalid for an unknown flag, a stage it does not have, or a bad reason; Conflict while the flag is held back.
    """
    validate_name(name)
    stages = stages_for(name)
    if stage not in stages:
        raise InvalidInput(f"{name} has the stages {', '.join(stages)}; {stage!s} is none of them", field="stage")
    return update_flag(name=name, by=by, reason=reason, now=now, **stage_settings(Stage(stage)))


@transaction.atomic
def switch_off(names: Collection[str], *, by: Any, reason: str, now: datetime) -> list[FlagChange]:
    """All of them off, or none; the changes that took."""
    # In one order, as `turn_on_for_everyone`: two such edits at once cannot lock each other out.
    changes = [set_stage(name=name, stage=Stage.OFF, by=by, reason=reason, now=now) for name in sorted(names)]
    return [change for change in changes if change is not None]


def flags_on() -> dict[str, State]:
    """The gated flags that are on for somebody, each with its state."""
    states = {name: state for name, state in _states().items() if current_stage(state) is not Stage.OFF}
    return {field.flag: states[field.flag] for field in GATED_FIELDS if field.flag in states}


def list_rollouts() -> list[FlagRollout]:
    """Every gated flag: two queries, and those of the holds."""
    states = _states()
    moves = {change.flag_name: change for change in FlagChange.objects.last_exposure_changes()}
    return [_rollout_of(field, states.get(field.flag), moves.get(field.flag)) for field in GATED_FIELDS]


def _states() -> dict[str, State]:
    return {flag.name: state_of(flag) for flag in FieldFlag.objects.prefetch_related("users", "groups")}


def _rollout_of(field: GatedField, state: State | None, move: FlagChange | None) -> FlagRollout:
    stage = Stage.OFF if state is None else current_stage(state)
    held = current_block(field.flag)
    return FlagRollout(
        field=field,
        stage=stage,
        in_words=describe_state(state),
        named=_named_in_words(state),
        since=move.changed_at if move else None,
        by=None if move is None else move.changed_by.email if move.changed_by else "the system",
        held=held,
        steps=tuple(_steps(stages_for(field.flag), stage, state, held)),
    )


def _steps(
    stages: Iterable[Stage], now: Stage, state: State | None, held: RolloutBlock | None
) -> Iterable[StageOption]:
    for stage in stages:
        is_held = held is not None and increases_exposure_above(held.above_percent, state, _state_in(stage))
        yield StageOption(stage, is_now=stage is now, blocked_reason=held.reason if held and is_held else "")


def _state_in(stage: Stage) -> State:
    return stage_settings(stage) | {"users": [], "groups": [], "note": ""}


def _named_in_words(state: State | None) -> str:
    if state is None or not (state["users"] or state["groups"]):
        return ""
    settings = {"everyone": None, "percent": None, "staff": False, "authenticated": False}
    return describe_state(dict(state) | settings)
