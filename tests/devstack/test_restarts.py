"""Delays before the restarts of a process."""

from devstack.restarts import LEFT_DOWN_SECONDS, RestartHistory, describe_end


def test_delays_grow_until_the_process_is_left_down():
    history = RestartHistory()
    assert [history.note_end(now) for now in (0.0, 1.0, 2.0, 4.0, 8.0)] == [0, 0.5, 1, 2, LEFT_DOWN_SECONDS]
    assert history.is_left_down


def test_ends_with_long_pauses_are_restarted_at_once():
    history = RestartHistory()
    assert [history.note_end(now) for now in (0.0, 31.0, 62.0, 93.0, 124.0, 155.0)] == [0] * 6


def test_a_process_that_ends_on_trial_is_left_down_again_and_one_that_stays_up_is_not():
    history = RestartHistory()
    for now in range(5):
        history.note_end(float(now))
    assert history.note_end(64.0 + 5) == LEFT_DOWN_SECONDS
    assert history.note_end(69.0 + 60 + 31) == 0
    assert not history.is_left_down


def test_an_end_names_the_signal_or_the_exit_code():
    assert describe_end(3) == "ended with exit code 3"
    assert describe_end(-9) == "was killed by SIGKILL"
    assert describe_end(-40) == "was killed by signal 40"
