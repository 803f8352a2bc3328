"""Guards that keep a flag below an exposure. Higher apps register them, so this app does not import them. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from common.errors import Conflict
from flags.audit import State
from flags.registry import FLAG_NAMES
from flags.stages import increases_exposure_above

GuardCheck = Callable[[], str | None]


@dataclass(frozen=True)
class RolloutGuard:
    """While `check` returns a reason, the flag stays at or below `above_percent` percent of callers."""

    flag_name: str
    above_percent: int
    check: GuardCheck


@dataclass(frozen=True)
class RolloutBlock:
    """A guard that blocks now, with its reason."""

    above_percent: int
    reason: str


_guards: list[RolloutGuard] = []


def register_guard(flag_name: str, above_percent: int, check: GuardCheck) -> RolloutGuard:
    """Register a guard; call it in `AppConfig.ready`. `check` returns a sentence with the reason, or None.

    It runs when an edit raises the exposure above the limit and on the rollout page, never when the exposure falls.
    Staff and individually targeted users and groups do not count, because they are no share of callers.
    """
    if flag_name not in FLAG_NAMES or not 0 <= above_percent < 100:
        raise ValueError(f"no guard for the flag {flag_name!r} above {above_percent} %: unknown flag or invalid limit")
    guard = RolloutGuard(flag_name, above_percent, check)
    if guard not in _guards:
        _guards.append(guard)
    return guard


def unregister_guard(guard: RolloutGuard) -> None:
    _guards.remove(guard)


def current_block(flag_name: str) -> RolloutBlock | None:
    """Return the block with the lowest limit, or None if no guard blocks the flag now."""
    for guard in _guards_of(flag_name):
        if reason := guard.check():
            return RolloutBlock(guard.above_percent, reason)
    return None


def enforce_guards(flag_name: str, before: State | None, after: State) -> None:
    """Raise Conflict if a guard blocks the exposure of `after`."""
    for guard in _guards_of(flag_name):
        if increases_exposure_above(guard.above_percent, before, after) and (reason := guard.check()):
            raise Conflict(f"{flag_name} may not go above {guard.above_percent} %: {reason}")


def _guards_of(flag_name: str) -> list[RolloutGuard]:
    return sorted((guard for guard in _guards if guard.flag_name == flag_name), key=lambda guard: guard.above_percent)
