import pytest

from flags.audit import describe_state, diff_states
from tests.factories.flags import OFF

OPEN = OFF | {"everyone": None}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "not there"),
        (OFF, "off"),
        (OPEN, "off"),
        (OPEN | {"percent": "0.0"}, "off"),
        (OFF | {"everyone": True, "percent": "5.0"}, "on for everyone"),
        (OPEN | {"percent": "25.0", "staff": True}, "25 % + staff"),
        (OPEN | {"percent": "0.5", "users": ["a"], "groups": ["Editors"]}, "0.5 % + 1 person + group Editors"),
        (OPEN | {"users": ["a", "b"]}, "2 people"),
        (OPEN | {"authenticated": True, "staff": True}, "on for everyone who is logged in"),
    ],
)
def test_says_a_state_in_words(state, words):
    assert describe_state(state) == words


def test_names_only_what_differs():
    after = OPEN | {"percent": "25.0", "staff": True, "users": ["b", "a"], "note": "pilot"}
    assert diff_states(OFF, after, {"a": "anna@example.com"}) == [
        ("Everyone", "off for everyone", "decided by the settings below"),
        ("Percent", "none", "25 %"),
        ("Staff", "no", "yes"),
        ("People", "nobody", "anna@example.com, b"),
        ("Note", "", "pilot"),
    ]


def test_a_flag_that_was_not_there_had_no_values():
    assert ("Everyone", "", "off for everyone") in diff_states(None, OFF)
    assert diff_states(OFF, OFF) == []
