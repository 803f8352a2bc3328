"""The table of moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import TransitionNotAllowed
from jobs.states import ACTIVE, COLUMN_LOCKING, STATES, TRANSITIONS, UNDONE, stop_target, validate_transition


@pytest.mark.parametrize("state", STATES)
def test_every_state_but_the_last_has_a_way_out_and_says_it(state: str) -> None:
    assert TRANSITIONS[state] or state == UNDONE
    with pytest.raises(TransitionNotAllowed, match=f"The run is {state} and cannot become .*: \\w+"):
        validate_transition(state, state)


@given(st.lists(st.sampled_from(STATES), max_size=30))
def test_whatever_is_asked_for_columns_are_held_while_a_worker_may_write(wishes: list[str]) -> None:
    state = "planned"
    for wish in wishes:
        if wish in TRANSITIONS[state]:
            validate_transition(state, wish)
            state = wish
        assert state not in ACTIVE or state in COLUMN_LOCKING
        assert stop_target(state) not in {"pausing", "cancelling"}


def test_an_undone_run_can_be_reached_from_everywhere() -> None:
    for state in STATES:
        seen, ways = {state}, [state]
        while ways:
            ways = [to for one in ways for to in TRANSITIONS[one] if to not in seen]
            seen |= set(ways)
        assert UNDONE in seen
