"""Which flags are on for the caller of a request: asked once at the door, passed inward as a value."""

from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest
from waffle import get_waffle_flag_model

from flags.deciding import ALL_OFF, ALL_ON, Caller, FlagSet, FlagState, decide

__all__ = ["ALL_OFF", "ALL_ON", "FlagSet", "flags_for", "flags_for_everyone"]

_REMEMBERED = "_flags_of_this_request"


def flags_for(request: Any) -> FlagSet:
    """The flags on for the caller of a Django or REST framework request.

    The settings of all flags are read once per request (one cache read) and remembered on the Django request,
    so an edit meanwhile does not change an answer half way. Who asks may become known later (a token is read
    inside the view), so the answer is kept per caller.
    """
    django_request: HttpRequest = getattr(request, "_request", request)
    remembered: tuple[tuple[FlagState, ...], dict[Caller, FlagSet]] | None = getattr(django_request, _REMEMBERED, None)
    if remembered is None:
        # By way of waffle's registry: the model itself asks here, so it cannot be imported.
        remembered = (get_waffle_flag_model().current_states(), {})
        setattr(django_request, _REMEMBERED, remembered)
    states, by_caller = remembered
    caller = caller_of(getattr(request, "user", None))
    if caller not in by_caller:
        by_caller[caller] = decide(states, caller, _groups_that_matter(states, caller))
    return by_caller[caller]


def flags_for_everyone() -> FlagSet:
    """What is on whoever asks: for work that is done for nobody in particular."""
    return decide(get_waffle_flag_model().current_states(), Caller())


def caller_of(user: Any) -> Caller:
    if user is None or not user.is_authenticated:
        return Caller()
    return Caller(bucket_id=str(user.public_id), user_pk=user.pk, is_staff=bool(user.is_staff))


def _groups_that_matter(states: tuple[FlagState, ...], caller: Caller) -> tuple[int, ...]:
    """The caller's groups; asks the database only while some flag names a group and it could decide."""
    if caller.user_pk is None or not any(state.group_pks and state.everyone is None for state in states):
        return ()
    memberships = get_user_model().groups.through.objects.filter(user_id=caller.user_pk)
    return tuple(memberships.values_list("group_id", flat=True))
