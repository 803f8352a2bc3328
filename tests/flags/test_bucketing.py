from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from flags.bucketing import bucket_of, is_in_percentage

names = st.text(min_size=1, max_size=30)
callers = st.text(min_size=1, max_size=40)
percents = st.decimals(min_value=0, max_value=Decimal("99.9"), places=1)

POPULATION = [f"{number:024x}" for number in range(20_000)]


def share(flag_name, percent):
    return {caller for caller in POPULATION if is_in_percentage(flag_name, caller, percent)}


@given(names, callers)
def test_buckets_are_stable_and_below_100(name, caller):
    assert 0 <= bucket_of(name, caller) < 100
    assert bucket_of(name, caller) == bucket_of(name, caller)


@given(names, callers, percents, percents)
def test_a_higher_percentage_keeps_all_callers(name, caller, one, other):
    low, high = sorted([one, other])
    if is_in_percentage(name, caller, low):
        assert is_in_percentage(name, caller, high)


@given(names, callers)
def test_zero_percent_includes_no_caller(name, caller):
    assert not is_in_percentage(name, caller, 0)


def test_a_known_bucket_is_the_same_in_every_release():
    assert bucket_of("album_art", "0123456789abcdef01234567") == Decimal("6.97")


def test_raising_from_10_to_20_percent_adds_about_a_tenth():
    ten, twenty = share("album_art", 10), share("album_art", 20)
    assert ten < twenty
    # 20,000 callers: five standard deviations of a tenth are about 212.
    assert abs(len(ten) - 2_000) < 220
    assert abs(len(twenty - ten) - 2_000) < 220


def test_buckets_of_two_flags_are_independent():
    one, other = share("album_art", 50), share("ai_metadata", 50)
    # Independent halves share a quarter; five standard deviations are about 306.
    assert abs(len(one & other) - 5_000) < 320
