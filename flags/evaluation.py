"""Which flags are on for the caller of a request: asked once at the door, passed inward as a value."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.http import HttpRequest
from waffle import get_waffle_flag_model

from flags.registry import FLAG_NAMES
from flags.rules import ALL_OFF, ALL_ON, EnabledFlags, EvaluationContext, FlagSettings, evaluate

__all__ = [
    "ALL_OFF",
    "ALL_ON",
    "EnabledFlags",
    "cached_then_fresh_flags",
    "flags_for_request",
    "global_flags",
    "is_current",
]

log = logging.getLogger(__name__)

_REMEMBERED = "_flags_of_this_request"


class _CachedFlags(NamedTuple):
    """What is set on every flag, and the stamp of the rows that say so (`querysets.FLAGS_VERSION_SQL`)."""

    stamp: str
    states: tuple[FlagSettings, ...]


_known = _CachedFlags("", ())  # of this process; one value, so that threads see either the old or the new


def flags_for_request(request: Any) -> EnabledFlags:
    """The flags on for the caller of a Django or REST framework request.

    A small query per request tells whether what this process knows still counts. It is remembered on the Django
    request, so an edit meanwhile does not change an answer half way. Who asks may become known later (a token is read
    inside the view), so the answer is kept per caller.
    """
    django_request: HttpRequest = getattr(request, "_request", request)
    remembered: tuple[tuple[FlagSettings, ...], dict[EvaluationContext, EnabledFlags]] | None = getattr(
        django_request, _REMEMBERED, None
    )
    if remembered is None:
        remembered = (_current_states(), {})
        setattr(django_request, _REMEMBERED, remembered)
    states, by_caller = remembered
    caller = context_for_user(getattr(request, "user", None))
    if caller not in by_caller:
        by_caller[caller] = _decide(states, caller)
    return by_caller[caller]


def cached_then_fresh_flags(request: Any) -> Iterator[EnabledFlags]:
    """Yield the flags for the caller by this process's cache, then by the database.

    A read stops at the first ones if they are still current. Its own statement selects FLAGS_VERSION_SQL for that: a
    separate query for the version would take about 0.3 ms of each read.

        for flags in cached_then_fresh_flags(request):
            rows = read(flags)
            if is_current(flags, rows.flags_version):
                break
    """
    caller = context_for_user(getattr(request, "user", None))
    cached = _known
    yield replace(_decide(cached.states, caller), version=cached.stamp)
    fresh = _reload()
    yield replace(_decide(fresh.states, caller), version=fresh.stamp)


def is_current(flags: EnabledFlags, seen_version: str | None) -> bool:
    """True if a statement that saw `seen_version` saw the flag rows that `flags` were computed from.

    None means that the statement returned no row; then a query reads the version.
    """
    return flags.version == (_flag_rows().stamp() if seen_version is None else seen_version)


def global_flags() -> EnabledFlags:
    """What is on whoever asks: for work that is done for nobody in particular."""
    return _decide(_current_states(), EvaluationContext())


def _current_states() -> tuple[FlagSettings, ...]:
    stamp = _flag_rows().stamp()
    return _known.states if _known.stamp == stamp else _reload().states


def _flag_rows() -> Any:
    # By way of waffle's registry: the model itself asks here, so it cannot be imported.
    return get_waffle_flag_model().objects


def _reload() -> _CachedFlags:
    global _known
    _known = known = _CachedFlags(*_flag_rows().states())
    for name in sorted(FLAG_NAMES - {state.name for state in known.states}):
        log.error("flag is missing and counts as off", extra={"flag": name})
    return known


def _decide(states: tuple[FlagSettings, ...], caller: EvaluationContext) -> EnabledFlags:
    return evaluate(states, caller, _groups_that_matter(states, caller))


def context_for_user(user: Any) -> EvaluationContext:
    if user is None or not user.is_authenticated:
        return EvaluationContext()
    return EvaluationContext(targeting_key=str(user.public_id), user_pk=user.pk, is_staff=bool(user.is_staff))


def _groups_that_matter(states: tuple[FlagSettings, ...], caller: EvaluationContext) -> tuple[int, ...]:
    """The caller's groups; asks the database only while some flag names a group and it could decide."""
    if caller.user_pk is None or not any(state.group_pks and state.everyone is None for state in states):
        return ()
    memberships = get_user_model().groups.through.objects.filter(user_id=caller.user_pk)
    return tuple(memberships.values_list("group_id", flat=True))
