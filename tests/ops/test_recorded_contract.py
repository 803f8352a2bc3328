"""The form of an answer against the recorded one: keys at each level, in their order."""

import copy
import json

import pytest

from common.errors import NotFound
from ops.recorded_contract import read_recorded, shape_differences
from tests.support.recorded_requests import CONTRACTS

RECORDED = read_recorded(CONTRACTS)
STORY = json.loads((CONTRACTS / "recordings" / "frontend.json").read_text())
PAGE = next(
    json.loads(answer["body"]) for answer in STORY if answer["title"] == "detail by id: the client picks from the list"
)


@pytest.fixture
def page():
    return copy.deepcopy(PAGE)


def field_errors(body, kind="asset_page", **kept):
    return shape_differences(kind, body, RECORDED.forms, **kept)


def test_old_clients_of_both_kinds_are_asked_for():
    assert {request.is_service for request in RECORDED.lists} == {True, False}
    assert all(request.path.startswith("/api/assets") for request in RECORDED.lists)
    assert {level.partition(".")[0] for level in RECORDED.forms} == {"asset_page", "asset_array", "asset", "metadata"}


def test_what_was_recorded_has_no_fault(page):
    assert field_errors(page) == []
    page["data"]["items"][0]["rights"] = {"whatever": {"its": ["owner", {"likes": 1}]}}
    page["data"]["items"] *= 3
    assert field_errors(page) == []


@pytest.mark.parametrize("key", ["creatorDescription", "albumArt", "albumArtDetails", "aiMetadata"])
def test_a_gated_key_is_named_with_its_level(page, key):
    page["data"]["items"][-1][key] = None
    assert field_errors(page) == [f"asset_page.data.items[] has {key} on top, lacks nothing"]
    assert field_errors(page, shown_keys={key}) == []


def test_keys_that_are_gone_moved_or_new_below_are_faults(page):
    del page["data"]["total"]
    page["metadata"]["trace"] = {"deep": 1}
    assert field_errors(page) == [
        "asset_page.data has nothing on top, lacks total",
        "asset_page.metadata has trace on top, lacks nothing",
    ]
    page["metadata"] = {"timestamp": {"deep": 1}}
    assert field_errors(page)[1:] == ["asset_page.metadata.timestamp was never recorded as an object"]
    turned = dict(reversed(PAGE.items()))
    assert field_errors(turned) == ["asset_page has its keys in another order"]


def test_says_where_the_recorded_answers_should_be(tmp_path):
    with pytest.raises(NotFound, match=r"frontend\.json"):
        read_recorded(tmp_path)


def test_the_image_holds_what_is_read_at_run_time():
    taken = (CONTRACTS.parent / ".dockerignore").read_text().splitlines()
    assert {"!contracts/recordings", "!contracts/requests"} <= set(taken)
