"""Shapes of responses compared with the recorded ones: the keys of each object, in order."""

import copy
import json

import pytest

from common.errors import NotFound
from ops.recorded_contract import read_recorded, shape_differences
from tests.support.recorded_requests import CONTRACTS

RECORDED = read_recorded(CONTRACTS)
STORY = json.loads((CONTRACTS / "recordings" / "frontend.json").read_text())
PAGE = next(
    json.loads(recording["body"])
    for recording in STORY
    if recording["title"] == "detail by id: the client picks from the list"
)


@pytest.fixture
def page():
    return copy.deepcopy(PAGE)


def differences(body, kind="asset_page", **kept):
    return shape_differences(kind, body, RECORDED.shapes, **kept)


def test_requests_of_users_and_services_are_recorded():
    assert {request.is_service for request in RECORDED.lists} == {True, False}
    assert all(request.path.startswith("/api/assets") for request in RECORDED.lists)
    assert {path.partition(".")[0] for path in RECORDED.shapes} == {"asset_page", "asset_array", "asset", "metadata"}


def test_a_recorded_response_has_no_difference(page):
    assert differences(page) == []
    page["data"]["items"][0]["rights"] = {"whatever": {"its": ["owner", {"likes": 1}]}}
    page["data"]["items"] *= 3
    assert differences(page) == []


@pytest.mark.parametrize("key", ["creatorDescription", "albumArt", "albumArtDetails", "aiMetadata"])
def test_a_gated_key_is_reported_with_its_path(page, key):
    page["data"]["items"][-1][key] = None
    assert differences(page) == [f"asset_page.data.items[] has the unexpected keys {key}"]
    assert differences(page, shown_keys={key}) == []


def test_missing_moved_and_nested_keys_are_reported(page):
    del page["data"]["total"]
    page["metadata"]["trace"] = {"deep": 1}
    assert differences(page) == [
        "asset_page.data lacks the keys total",
        "asset_page.metadata has the unexpected keys trace",
    ]
    page["metadata"] = {"timestamp": {"deep": 1}}
    assert differences(page)[1:] == ["asset_page.metadata.timestamp was never recorded as an object"]
    turned = dict(reversed(PAGE.items()))
    assert differences(turned) == ["asset_page has its keys in another order"]


def test_missing_recordings_raise_an_error_with_the_file_name(tmp_path):
    with pytest.raises(NotFound, match=r"frontend\.json"):
        read_recorded(tmp_path)


def test_the_image_contains_requests_and_recordings():
    included = (CONTRACTS.parent / ".dockerignore").read_text().splitlines()
    assert {"!contracts/recordings", "!contracts/requests"} <= set(included)
