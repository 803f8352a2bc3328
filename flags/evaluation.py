"""Evaluate the flags for the caller of a request. Views pass the result on as a value."""

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

_REQUEST_ATTRIBUTE = "_evaluated_flags"


class _CachedFlags(NamedTuple):
    """The settings of all flags, and the version of the rows they were read from (`querysets.FLAGS_VERSION_SQL`)."""

    version: str
    settings: tuple[FlagSettings, ...]


_cached = _CachedFlags("", ())  # of this process; replaced as one value, so that threads see the old or the new one


def flags_for_request(request: Any) -> EnabledFlags:
    """Return the flags for the caller of a Django or REST framework request.

    The first call runs one small query for the version of the flags. The settings stay on the Django request, so that
    an edit cannot change a response halfway. Results are kept for each caller, because a view may authenticate later.
    """
    django_request: HttpRequest = getattr(request, "_request", request)
    stored: tuple[tuple[FlagSettings, ...], dict[EvaluationContext, EnabledFlags]] | None = getattr(
        django_request, _REQUEST_ATTRIBUTE, None
    )
    if stored is None:
        stored = (_current_settings(), {})
        setattr(django_request, _REQUEST_ATTRIBUTE, stored)
    settings, by_context = stored
    context = context_for_user(getattr(request, "user", None))
    if context not in by_context:
        by_context[context] = _evaluate(settings, context)
    return by_context[context]


def cached_then_fresh_flags(request: Any) -> Iterator[EnabledFlags]:
    """Yield the flags for the caller from the cache of this process, then from the database.

    A read stops at the first ones if they are still current. Its own statement selects FLAGS_VERSION_SQL for that,
    because a separate query for the version would take about 0.3 ms of each read.

        for flags in cached_then_fresh_flags(request):
            rows = read(flags)
            if is_current(flags, rows.flags_version):
                break
    """
    context = context_for_user(getattr(request, "user", None))
    cached = _cached
    yield replace(_evaluate(cached.settings, context), version=cached.version)
    fresh = _reload()
    yield replace(_evaluate(fresh.settings, context), version=fresh.version)


def is_current(flags: EnabledFlags, seen_version: str | None) -> bool:
    """True if a statement that saw `seen_version` saw the flag rows that `flags` were computed from.

    None means that the statement returned no row; then a query reads the version.
    """
    return flags.version == (_flags().version() if seen_version is None else seen_version)


def global_flags() -> EnabledFlags:
    """Return the flags that are on for everyone, for work that has no caller."""
    return _evaluate(_current_settings(), EvaluationContext())


def _current_settings() -> tuple[FlagSettings, ...]:
    return _cached.settings if _cached.version == _flags().version() else _reload().settings


def _flags() -> Any:
    # Through waffle's registry, because the flag model imports this module.
    return get_waffle_flag_model().objects


def _reload() -> _CachedFlags:
    global _cached
    _cached = cached = _CachedFlags(*_flags().settings())
    for name in sorted(FLAG_NAMES - {flag.name for flag in cached.settings}):
        log.error("flag is missing and counts as off", extra={"flag": name})
    return cached


def _evaluate(settings: tuple[FlagSettings, ...], context: EvaluationContext) -> EnabledFlags:
    return evaluate(settings, context, _relevant_groups(settings, context))


def context_for_user(user: Any) -> EvaluationContext:
    if user is None or not user.is_authenticated:
        return EvaluationContext()
    return EvaluationContext(targeting_key=str(user.public_id), user_pk=user.pk, is_staff=bool(user.is_staff))


def _relevant_groups(settings: tuple[FlagSettings, ...], context: EvaluationContext) -> tuple[int, ...]:
    """Return the groups of the caller; runs a query only if a flag is targeted at groups."""
    if context.user_pk is None or not any(flag.group_pks and flag.everyone is None for flag in settings):
        return ()
    memberships = get_user_model().groups.through.objects.filter(user_id=context.user_pk)
    return tuple(memberships.values_list("group_id", flat=True))
