"""Parsing of the legacy export: its layouts, and unusual documents."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.legacy_export_parser import InvalidRow, iter_documents, parse_asset

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=6), parts, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.lists(st.dictionaries(st.text(max_size=6), VALUES, max_size=4), max_size=5)


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def documents_of(text: str, size: int) -> list[Any]:
    found = list(iter_documents(cut(text, size)))
    assert [position for position, _ in found] == list(range(1, len(found) + 1))
    return [document for _, document in found]


@given(DOCUMENTS, st.booleans(), st.sampled_from(["", "\ufeff", " \n\t", "\ufeff\n"]), st.sampled_from([None, 1]))
@settings(max_examples=60, deadline=None)
def test_lines_and_arrays_parse_equally_at_any_chunk_size(
    documents: list[Any], ascii_only: bool, lead: str, indent: int | None
) -> None:
    lines = lead + "\n".join(json.dumps(document, ensure_ascii=ascii_only) for document in documents)
    array = lead + json.dumps(documents, ensure_ascii=ascii_only, indent=indent)
    for size in {1, 2, 3, 5, 7, 64, len(array) or 1}:
        assert documents_of(lines, size) == documents
        assert documents_of(array, size) == documents


def test_a_line_that_is_not_json_is_rejected_alone() -> None:
    first, broken, last = documents_of('{"a":1}\r\n{"a":\n\n{"b":2}', 4)
    assert (first, last) == ({"a": 1}, {"b": 2})
    assert isinstance(broken, InvalidRow)
    assert isinstance(documents_of("[" * 100_000, 5000)[0], InvalidRow)
    assert documents_of("", 1) == documents_of("[]", 1) == documents_of("\n \n", 1) == []


@pytest.mark.parametrize("text", ['[{"a":1},{"b":', '[{"a":1}, oops {"b":2}]', '[{"a":1},{"b":2'])
def test_an_incomplete_array_yields_its_complete_documents(text: str) -> None:
    for size in (1, 3, 100):
        first, broken = documents_of(text, size)[:2]
        assert first == {"a": 1}
        assert isinstance(broken, InvalidRow)


DOCUMENT = {
    "_id": {"$oid": "6859A71A816AC2693A1942C9"}, "layer": "S", "category": "Pop", "subcategory": "Pop_Diva",
    "name": "S.POP.DIV.001", "nna_address": "S.001.002.001", "gcpStorageUrl": "https://media.example/S.POP.DIV.001.png",
    "source": "ReViz", "tags": ["a"], "description": "A star", "trainingData": '{"prompts":[]}',
    "rights": '{"source":"Original"}', "components": [""], "registeredBy": "Mira@Studio.example",
    "createdAt": {"$date": "2025-06-23T19:12:26.657Z"}, "updatedAt": {"$date": {"$numberLong": "1750705946657"}},
    "__v": {"$numberInt": "3"},
}  # fmt: skip


def test_a_document_is_parsed_into_python_types() -> None:
    row = parse_asset(DOCUMENT)
    assert row.public_id == "6859a71a816ac2693a1942c9"
    assert row.training_data == {"prompts": []}
    assert row.components == []
    assert row.registered_by == "mira@studio.example"
    assert row.created_at == datetime(2025, 6, 23, 19, 12, 26, 657000, UTC)
    assert row.updated_at == datetime(2025, 6, 23, 19, 12, 26, 657000, UTC)
    assert row.revision == 3
    assert row.warnings == []
    assert set(row.normalized) == {
        "blank components dropped", "trainingData parsed from a string", "rights parsed from a string",
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"_id": "short"}, {"_id": None}, {"_id": {"$oid": 5}}, {"name": None}, {"name": "S.POP"},
        {"name": "X.POP.DIV.001"},
        {"name": "S.POP.DIV.1"}, {"nna_address": None}, {"nna_address": 5}, {"gcpStorageUrl": "ftp://x"},
        {"gcpStorageUrl": None}, {"createdAt": None}, {"createdAt": {"$date": "someday"}},
        {"createdAt": {"$date": 10**20}},
        {"updatedAt": {"$date": []}}, {"tags": "a"}, {"tags": [1]}, {"tags": ["x" * 101]}, {"components": {}},
        {"trainingData": "{"}, {"rights": [1]}, {"trainingData": "[" * 5000}, {"__v": "x"}, {"__v": -1}, {"__v": 2**31},
        {"description": 5}, {"description": "a\x00b"}, {"tags": ["\ud800"]}, {"creatorDescription": "x" * 501},
        {"albumArt": 5}, {"aiMetadata": []}, {"aiMetadata": {"mood": "\x00"}}, {"registeredBy": 5}, {"source": []},
        {"rights": {"a": "\x00"}}, {"trainingData": '{"a":"\\u0000"}'}, {"trainingData": '{"a":"\\ud800"}'},
        {"trainingData": '{"a":NaN}'}, {"__v": {"$numberInt": []}}, {"category": "x" * 300},
    ],
)  # fmt: skip
def test_an_invalid_document_is_rejected_with_a_reason(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidRow) as caught:
        parse_asset(DOCUMENT | change)
    assert caught.value.message


@given(st.dictionaries(st.sampled_from(sorted(DOCUMENT)), VALUES, max_size=4) | VALUES)
@settings(max_examples=200, deadline=None)
def test_any_document_is_parsed_or_rejected(change: Any) -> None:
    try:
        row = parse_asset(DOCUMENT | change if isinstance(change, dict) else change)
    except InvalidRow as error:
        assert error.message  # noqa: PT017
    else:
        assert row.name
