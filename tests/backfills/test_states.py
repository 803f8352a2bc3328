"""The table of transitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import TransitionNotAllowed
from jobs.states import ACTIVE, COLUMN_LOCKING, STATES, TRANSITIONS, UNDONE, stop_target, validate_transition


@pytest.mark.parametrize("state", STATES)
def test_an_error_names_the_allowed_actions_of_each_state(state: str) -> None:
    assert TRANSITIONS[state] or state == UNDONE
    with pytest.raises(TransitionNotAllowed, match=f"The run is {state} and cannot become .*: \\w+"):
        validate_transition(state, state)


@given(st.lists(st.sampled_from(STATES), max_size=30))
def test_columns_are_locked_in_every_active_state(targets: list[str]) -> None:
    state = "planned"
    for data in targets:
        if data in TRANSITIONS[state]:
            validate_transition(state, data)
            state = data
        assert state not in ACTIVE or state in COLUMN_LOCKING
        assert stop_target(state) not in {"pausing", "cancelling"}


def test_an_undone_run_can_be_reached_from_everywhere() -> None:
    for state in STATES:
        seen, ways = {state}, [state]
        while ways:
            ways = [to for one in ways for to in TRANSITIONS[one] if to not in seen]
            seen |= set(ways)
        assert UNDONE in seen
