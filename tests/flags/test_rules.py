from decimal import Decimal

import pytest

from flags.registry import FLAG_NAMES
from flags.rules import ALL_OFF, ALL_ON, EvaluationContext, FlagSettings, evaluate, is_on

PERSON = EvaluationContext("0123456789abcdef01234567", user_pk=7)
STAFF = PERSON._replace(is_staff=True)
SERVICE = EvaluationContext("service:3")
ANONYMOUS = EvaluationContext()


def state(**settings):
    defaults = {"name": "album_art", "everyone": None, "percent": None, "staff": False, "authenticated": False}
    return FlagSettings(**defaults | settings)


@pytest.mark.parametrize("caller", [PERSON, STAFF, SERVICE, ANONYMOUS])
def test_everyone_decides_over_all_else(caller):
    generous = {"percent": Decimal("99.9"), "staff": True, "authenticated": True, "user_pks": (7,), "group_pks": (1,)}
    assert not is_on(state(everyone=False, **generous), caller, {1})
    assert is_on(state(everyone=True), caller)


@pytest.mark.parametrize(
    ("settings", "on_for"),
    [
        ({}, set()),
        ({"staff": True}, {STAFF}),
        ({"authenticated": True}, {PERSON, STAFF}),
        ({"user_pks": (7,)}, {PERSON, STAFF}),
        ({"group_pks": (1, 2)}, {PERSON, STAFF}),
        ({"percent": Decimal("0.0")}, set()),
    ],
)
def test_without_everyone_the_settings_decide(settings, on_for):
    groups = {PERSON: {2}, STAFF: {2}}
    flag = state(**settings)
    on = {caller for caller in (PERSON, STAFF, SERVICE, ANONYMOUS) if is_on(flag, caller, groups.get(caller, ()))}
    assert on == on_for


def test_a_percentage_never_reaches_anonymous_callers():
    assert not is_on(state(percent=Decimal("99.9")), ANONYMOUS)


def test_a_percentage_reaches_services():
    keys = [EvaluationContext(f"service:{number}") for number in range(1_000)]
    assert 400 < sum(is_on(state(percent=Decimal(50)), key) for key in keys) < 600


def test_a_set_knows_its_names():
    flags = evaluate([state(everyone=True), state(name="ai_metadata", everyone=False)], ANONYMOUS)
    assert flags.names == {"album_art"}
    assert flags.is_on("album_art")
    assert not flags.is_on("ai_metadata")
    assert all(ALL_ON.is_on(name) and not ALL_OFF.is_on(name) for name in FLAG_NAMES)
