"""What keeps a flag from reaching more callers. Higher apps tell by registering a hold; nothing here imports them."""

from collections.abc import Callable
from dataclasses import dataclass

from common.errors import Conflict
from flags.audit import State
from flags.registry import FLAG_NAMES
from flags.stages import increases_exposure_above

GuardCheck = Callable[[], str | None]


@dataclass(frozen=True)
class RolloutGuard:
    """While `reason_of` gives a text, the flag may not reach more than `above_percent` percent of callers."""

    flag_name: str
    above_percent: int
    reason_of: GuardCheck


@dataclass(frozen=True)
class RolloutBlock:
    """A hold that holds right now, and why."""

    above_percent: int
    reason: str


_holds: list[RolloutGuard] = []


def register_guard(flag_name: str, above_percent: int, reason_of: GuardCheck) -> RolloutGuard:
    """Call it in `AppConfig.ready`. `reason_of` says in a sentence why the flag must wait, or None once it need not.

    It is asked when an edit would raise the flag above the limit, and by the page of the rollout; never to lower one.
    Staff, and the people and groups named on a flag, count for nothing here: they are no share of callers.
    """
    if flag_name not in FLAG_NAMES or not 0 <= above_percent < 100:
        raise ValueError(f"there is no flag {flag_name!r} that could be held at {above_percent} %")
    hold = RolloutGuard(flag_name, above_percent, reason_of)
    if hold not in _holds:
        _holds.append(hold)
    return hold


def unregister_guard(hold: RolloutGuard) -> None:
    """The opposite of `register_guard`."""
    _holds.remove(hold)


def current_block(flag_name: str) -> RolloutBlock | None:
    """What holds the flag now: of several holds the one that leaves it least. None where it is free."""
    for hold in _holds_of(flag_name):
        if reason := hold.reason_of():
            return RolloutBlock(hold.above_percent, reason)
    return None


def enforce_guards(flag_name: str, before: State | None, after: State) -> None:
    """Raises Conflict if the edit gives the flag to more callers than a hold lets it have."""
    for hold in _holds_of(flag_name):
        if increases_exposure_above(hold.above_percent, before, after) and (reason := hold.reason_of()):
            raise Conflict(f"{flag_name} may not go above {hold.above_percent} %: {reason}")


def _holds_of(flag_name: str) -> list[RolloutGuard]:
    return sorted((hold for hold in _holds if hold.flag_name == flag_name), key=lambda hold: hold.above_percent)
