from decimal import Decimal

import pytest

from flags.registry import FLAG_NAMES
from flags.rules import ALL_OFF, ALL_ON, EvaluationContext, FlagSettings, evaluate, is_on

USER = EvaluationContext("0123456789abcdef01234567", user_pk=7)
STAFF = USER._replace(is_staff=True)
SERVICE = EvaluationContext("service:3")
ANONYMOUS = EvaluationContext()


def state(**settings):
    defaults = {"name": "album_art", "everyone": None, "percent": None, "staff": False, "authenticated": False}
    return FlagSettings(**defaults | settings)


@pytest.mark.parametrize("caller", [USER, STAFF, SERVICE, ANONYMOUS])
def test_everyone_has_priority_over_other_settings(caller):
    generous = {"percent": Decimal("99.9"), "staff": True, "authenticated": True, "user_pks": (7,), "group_pks": (1,)}
    assert not is_on(state(everyone=False, **generous), caller, {1})
    assert is_on(state(everyone=True), caller)


@pytest.mark.parametrize(
    ("settings", "on_for"),
    [
        ({}, set()),
        ({"staff": True}, {STAFF}),
        ({"authenticated": True}, {USER, STAFF}),
        ({"user_pks": (7,)}, {USER, STAFF}),
        ({"group_pks": (1, 2)}, {USER, STAFF}),
        ({"percent": Decimal("0.0")}, set()),
    ],
)
def test_other_settings_apply_without_everyone(settings, on_for):
    groups = {USER: {2}, STAFF: {2}}
    flag = state(**settings)
    on = {caller for caller in (USER, STAFF, SERVICE, ANONYMOUS) if is_on(flag, caller, groups.get(caller, ()))}
    assert on == on_for


def test_a_percentage_does_not_apply_to_anonymous_callers():
    assert not is_on(state(percent=Decimal("99.9")), ANONYMOUS)


def test_a_percentage_applies_to_services():
    keys = [EvaluationContext(f"service:{number}") for number in range(1_000)]
    assert 400 < sum(is_on(state(percent=Decimal(50)), key) for key in keys) < 600


def test_enabled_flags_contain_the_flags_that_are_on():
    flags = evaluate([state(everyone=True), state(name="ai_metadata", everyone=False)], ANONYMOUS)
    assert flags.names == {"album_art"}
    assert flags.is_on("album_art")
    assert not flags.is_on("ai_metadata")
    assert all(ALL_ON.is_on(name) and not ALL_OFF.is_on(name) for name in FLAG_NAMES)
