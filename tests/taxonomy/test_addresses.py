import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxonomy.addresses import (
    LAYER_LETTERS,
    LAYER_NUMBERS,
    HumanFriendlyName,
    MachineFriendlyAddress,
    format_hfn,
    format_mfa,
    parse_hfn,
    parse_mfa,
    split_composite,
)
from taxonomy.errors import InvalidAddress

layers = st.sampled_from(sorted(LAYER_NUMBERS))
codes = st.text(string.ascii_uppercase + string.digits, min_size=3, max_size=3)
numbers = st.integers(0, 999)
sequence_numbers = st.integers(1, 999_999_999)
suffixes = st.one_of(
    st.just(""), st.just("set"), st.just("set.zip"), st.text(string.ascii_lowercase + string.digits, max_size=5)
)
hfns = st.builds(HumanFriendlyName, layers, codes, codes, sequence_numbers, suffixes)
mfas = st.builds(MachineFriendlyAddress, layers, numbers, numbers, sequence_numbers, suffixes)


def test_layer_numbers_of_composites_and_rights_are_nine_and_ten():
    assert (LAYER_NUMBERS["C"], LAYER_NUMBERS["R"]) == (9, 10)
    assert {LAYER_LETTERS[number] for number in range(1, 11)} == set("GSLMWBPTCR")


@given(hfns)
def test_parsing_a_formatted_hfn_returns_it(name):
    assert parse_hfn(format_hfn(name)) == name


@given(mfas, st.booleans())
def test_parsing_a_formatted_mfa_of_both_notations_returns_it(address, with_numeric_layer):
    assert parse_mfa(format_mfa(address, with_numeric_layer=with_numeric_layer)) == address


@given(hfns)
def test_input_of_any_case_is_formatted_in_upper_case(name):
    text = format_hfn(name)
    assert format_hfn(parse_hfn(text.lower())) == text


@given(st.text(max_size=700) | st.from_regex(r"[GSLM1-9.:+0-9A-Z]{0,60}"))
def test_any_text_parses_or_raises_invalid_address(text):
    for parse in (parse_hfn, parse_mfa, split_composite):
        try:
            parse(text)
        except InvalidAddress as error:
            error.message.encode()


@pytest.mark.parametrize("value", [None, 5, [], {}, b"L.CAS.ATL.001"])
def test_rejects_values_that_are_not_strings(value):
    with pytest.raises(InvalidAddress):
        parse_hfn(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "L.CAS.ATL",
        "L.CAS.ATL.01",
        "L.CA.ATL.001",
        "L.CASU.ATL.001",
        "E.CAS.ATL.001",
        "L.CAS.ATL.001.",
        "L.CAS.ATL.001.toolong",
        "L.CAS.ATL.000",
        "L.CAS.ATL.٠٠١",
        "L.CAS.ATL.001\x00",
        "L.CAS.ATL.001\nL.CAS.ATL.001",
        "[L.CAS.ATL.001]",
        "L.CAS.ATL.1000000000",
    ],
)
def test_rejects_malformed_hfn(text):
    with pytest.raises(InvalidAddress):
        parse_hfn(text)


@pytest.mark.parametrize("text", ["0.001.001.001", "11.001.001.001", "03.001.001.001", "L.1.1.001", "L.0001.001.001"])
def test_rejects_malformed_mfa(text):
    with pytest.raises(InvalidAddress):
        parse_mfa(text)


def test_sequence_numbers_have_at_least_three_digits():
    assert [format_hfn(HumanFriendlyName("L", "CAS", "ATL", n)) for n in (7, 999, 1000)] == [
        "L.CAS.ATL.007",
        "L.CAS.ATL.999",
        "L.CAS.ATL.1000",
    ]


def test_splits_composites_at_both_separators_and_drops_one_at_the_end():
    assert split_composite("C.A:B+C:") == ["C.A", "B", "C"]
    assert split_composite("C.A") == ["C.A"]
    assert split_composite("") == [""]


def test_parses_the_placeholder_only_if_allowed():
    assert parse_hfn("L.CAS.ATL.000", allow_placeholder=True).number == 0
    assert parse_mfa("3.004.004.000", allow_placeholder=True).number == 0


def test_rejects_a_million_characters_within_a_second():
    started = time.perf_counter()
    for text in ("L." * 500_000, "9" * 1_000_000, ":" * 1_000_000, "L.CAS.ATL." + "0" * 1_000_000):
        for parse in (parse_hfn, parse_mfa, split_composite):
            with pytest.raises(InvalidAddress):
                parse(text)
    assert time.perf_counter() - started < 1
