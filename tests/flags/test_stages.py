"""Stages of states, their exposure, and whether an edit raises it."""

from itertools import pairwise

import pytest

from flags.registry import ALBUM_ART_PIPELINE, FLAG_NAMES
from flags.stages import Stage, current_stage, exposure_of, increases_exposure_above, stage_settings, stages_for
from tests.factories.flags import OFF

OPEN = OFF | {"everyone": None}
ON = OFF | {"everyone": True}


@pytest.mark.parametrize(
    ("state", "stage"),
    [
        (OFF, Stage.OFF),
        (OFF | {"percent": "50.0", "staff": True, "users": ["a" * 24]}, Stage.OFF),
        (OPEN, Stage.OFF),
        (OPEN | {"percent": "0.0"}, Stage.OFF),
        (OPEN | {"staff": True}, Stage.STAFF),
        (OPEN | {"staff": True, "percent": "0.0", "users": ["a" * 24], "groups": ["Pilots"]}, Stage.STAFF),
        (OPEN | {"staff": True, "percent": "1.0"}, Stage.PERCENT_1),
        (OPEN | {"staff": True, "percent": "10.0"}, Stage.PERCENT_10),
        (OPEN | {"staff": True, "percent": "50.0", "note": "half"}, Stage.PERCENT_50),
        (ON, Stage.EVERYONE),
        (ON | {"percent": "1.0"}, Stage.EVERYONE),
        (OPEN | {"staff": True, "percent": "25.0"}, Stage.CUSTOM),
        (OPEN | {"percent": "10.0"}, Stage.CUSTOM),
        (OPEN | {"users": ["a" * 24]}, Stage.CUSTOM),
        (OPEN | {"groups": ["Pilots"]}, Stage.CUSTOM),
        (OPEN | {"authenticated": True}, Stage.CUSTOM),
        (OPEN | {"staff": True, "authenticated": True}, Stage.CUSTOM),
    ],
)
def test_current_stage_of_states(state, stage):
    assert current_stage(state) is stage


@pytest.mark.parametrize("flag_name", sorted(FLAG_NAMES))
def test_stage_settings_have_that_stage(flag_name):
    for stage in stages_for(flag_name):
        assert current_stage(OFF | stage_settings(stage)) is stage


def test_exposure_grows_with_each_stage():
    exposures = [exposure_of(OFF | stage_settings(stage)) for stage in stages_for("album_art")]
    for before, after in pairwise(exposures):
        assert all(then <= now for then, now in zip(before, after, strict=True))
    assert exposures[-1] == (100, 100, 100)


def test_flags_without_callers_are_off_or_on():
    assert stages_for(ALBUM_ART_PIPELINE) == (Stage.OFF, Stage.EVERYONE)
    assert Stage.CUSTOM not in stages_for("album_art")


def share(percent):
    return OPEN | {"percent": percent, "staff": True}


@pytest.mark.parametrize(
    ("before", "after", "is_raised"),
    [
        (OFF, share("50.0"), False),
        (OFF, share("50.1"), True),
        (None, ON, True),
        (OFF, OPEN | {"authenticated": True}, True),
        (OPEN | {"authenticated": True}, ON, True),  # services and anonymous callers are added
        (OPEN | {"authenticated": True, "percent": "1.0"}, OPEN | {"authenticated": True, "percent": "90.0"}, True),
        (OFF | {"percent": "90.0"}, share("90.0"), True),
        (share("60.0"), share("70.0"), True),
        (share("70.0"), share("60.0"), False),
        (ON, share("99.9"), False),
        (ON, ON | {"note": "all"}, False),
        (ON, OFF, False),
        (OFF, OFF | {"percent": "90.0"}, False),
        (OFF, OPEN | {"staff": True, "users": ["a" * 24], "groups": ["Everybody"]}, False),
    ],
)
def test_detects_exposure_that_grows_above_the_limit_for_any_kind_of_caller(before, after, is_raised):
    assert increases_exposure_above(50, before, after) is is_raised
