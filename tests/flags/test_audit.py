import pytest

from flags.audit import describe_state, diff_states
from tests.factories.flags import OFF

OPEN = OFF | {"everyone": None}


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (None, "missing"),
        (OFF, "off"),
        (OPEN, "off"),
        (OPEN | {"percent": "0.0"}, "off"),
        (OFF | {"everyone": True, "percent": "5.0"}, "on for everyone"),
        (OPEN | {"percent": "25.0", "staff": True}, "25 % + staff"),
        (OPEN | {"percent": "0.5", "users": ["a"], "groups": ["Editors"]}, "0.5 % + 1 user + group Editors"),
        (OPEN | {"users": ["a", "b"]}, "2 users"),
        (OPEN | {"authenticated": True, "staff": True}, "on for all signed-in users"),
    ],
)
def test_describes_states(state, text):
    assert describe_state(state) == text


def test_diff_lists_only_changed_settings():
    after = OPEN | {"percent": "25.0", "staff": True, "users": ["b", "a"], "note": "pilot"}
    assert diff_states(OFF, after, {"a": "anna@example.com"}) == [
        ("Everyone", "off for everyone", "decided by the settings below"),
        ("Percent", "none", "25 %"),
        ("Staff", "no", "yes"),
        ("Users", "none", "anna@example.com, b"),
        ("Note", "", "pilot"),
    ]


def test_diff_of_a_missing_state_has_empty_values():
    assert ("Everyone", "", "off for everyone") in diff_states(None, OFF)
    assert diff_states(OFF, OFF) == []
