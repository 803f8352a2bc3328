"""Equal problems have equal fingerprints, different problems different ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugreports.fingerprint import ErrorSignature, extract_signature, normalize_message, normalize_route
from tests.support.bug_report_payloads import crash, full, small


def problem(document: dict) -> ErrorSignature | None:
    return extract_signature(
        description=document["description"], location=document["clientMeta"]["locationHref"],
        recent_logs=document["recentLogs"], network_events=document["networkEvents"],
    )  # fmt: skip


def test_a_description_alone_has_no_fingerprint() -> None:
    assert problem(small()) is None


def test_message_route_and_frame_make_the_fingerprint() -> None:
    found = problem(crash())
    assert found == ErrorSignature("typeerror: r is undefined", "", "grid@gallery.js")
    assert found.fingerprint.startswith("v1:")
    assert len(found.fingerprint) == 19


def test_without_an_error_in_the_description_the_newest_log_error_counts() -> None:
    assert problem(full()) == ErrorSignature("put /stars/<n> failed | apierror: <n> conflict", "/stars/:id", "")


def test_without_a_logged_error_a_failed_request_counts() -> None:
    assert problem(full(recentLogs=[])) == ErrorSignature("PUT /api/stars/:id 409", "/stars/:id", "")


def test_ids_builds_lines_and_times_do_not_count() -> None:
    stack = "TypeError: cannot read id 64f0a1b2c3d4 of null at {}\n    at load (https://x/static/main.{}.js:{}:{})\n"
    one = small(description=stack.format("2026-02-12T13:05:07Z", "3f2a1b9c", 1, 99))
    two = small(description=stack.format("2027-01-01 00:00", "77aa00ff", 12, 3456))
    one["clientMeta"]["locationHref"] = "https://studio.example/albums/88?tab=1#x"
    two["clientMeta"]["locationHref"] = "https://other.example/albums/9f8e7d6c5b4a39281706f5e4"
    assert problem(one) == problem(two)
    assert problem(one).route == "/albums/:id"


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "RangeError: r is undefined\n    at Grid (gallery.js:1:2201)"},
        {"description": "TypeError: r is undefined\n    at Wall (gallery.js:1:2201)"},
        {"clientMeta": {"locationHref": "https://studio.example/gallery"}},
    ],
)
def test_another_message_frame_or_route_has_another_fingerprint(changes: dict) -> None:
    assert problem(crash(**changes)).fingerprint != problem(crash()).fingerprint


def test_frames_of_libraries_are_skipped() -> None:
    stack = "Error: x\n    at a (https://x/node_modules/react.js:1:1)\n    at b (https://x/app.js:2:2)"
    assert problem(small(description=stack)).top_frame == "b@app.js"


@given(st.text(max_size=400))
def test_normalization_is_idempotent(text: str) -> None:
    assert normalize_message(normalize_message(text)) == normalize_message(text)
    assert normalize_route(normalize_route(text)) == normalize_route(text)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.uuids(), st.uuids())
def test_numbers_and_ids_do_not_count(first: int, second: int, one: object, other: object) -> None:
    assert normalize_message(f"row {first} of {one} failed") == normalize_message(f"row {second} of {other} failed")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(["level", "message", "serializedArgs", "status", "url", "ok", "error"])
_ENTRIES = st.lists(st.dictionaries(_NAMES, _JSON), max_size=4)


@given(st.text(max_size=200), st.text(max_size=100), _ENTRIES, _ENTRIES)
def test_any_report_has_a_fingerprint_or_none(description: str, location: str, logs: list, events: list) -> None:
    found = extract_signature(description=description, location=location, recent_logs=logs, network_events=events)
    assert found is None or found.fingerprint.startswith("v1:")
