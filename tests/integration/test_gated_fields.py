"""All 32 combinations of flags: a response has exactly the fields whose flags are on and is otherwise unchanged."""

import json
from itertools import chain, combinations

import pytest
from django.db import connection

from flags.registry import (
    AI_METADATA,
    ALBUM_ART,
    ALBUM_ART_PIPELINE,
    CREATOR_DESCRIPTION,
    FLAG_NAMES,
    GATED_FIELDS,
    SEARCH_CREATOR_DESCRIPTION,
)
from tests.factories.assets import make_asset
from tests.support.flag_states import set_flags

pytestmark = pytest.mark.django_db

GATES = {
    CREATOR_DESCRIPTION: {"creatorDescription"},
    ALBUM_ART: {"albumArt", "albumArtDetails"},
    AI_METADATA: {"aiMetadata"},
    SEARCH_CREATOR_DESCRIPTION: set(),
    ALBUM_ART_PIPELINE: set(),
}
COMBINATIONS = list(chain.from_iterable(combinations(sorted(FLAG_NAMES), size) for size in range(6)))
ENDPOINTS = (
    "/api/assets?limit=10",
    "/api/assets?search=coat",
    "/api/assets/L.CAS.ATL.001",
    "/api/assets/address/L.001.002.001",
    "/api/assets/L.CAS.ATL.001/metadata",
    "/api/assets/search?q=coat",
)


@pytest.fixture(autouse=True)
def filled_asset():
    return make_asset(
        description="A winter coat",
        creator_description="Made of marmalade",
        album_art="https://pictures.example/cover.jpg",
        ai_metadata={"generatedDescription": "woollen garment", "mood": "cosy", "bpm": 90},
    )


def _pairs(content: bytes) -> object:
    """Parse JSON with objects as lists of pairs, so that comparisons include the order of keys."""
    return json.loads(content, object_pairs_hook=lambda pairs: [list(pair) for pair in pairs])


def _without(value: object, names: set[str]) -> object:
    if not isinstance(value, list):
        return value
    return [_without(item, names) for item in value if not _is_pair_named(item, names | {"timestamp"})]


def _is_pair_named(item: object, names: set[str]) -> bool:
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and item[0] in names


def test_the_registry_of_flags_names_the_keys_each_gates():
    assert {field.flag: set(field.api_keys) for field in GATED_FIELDS} == GATES


@pytest.mark.parametrize("on", COMBINATIONS, ids="+".join)
def test_a_response_is_the_complete_one_without_the_fields_that_are_off(on, editor_api, service_api):
    hidden = set().union(*(GATES[name] for name in FLAG_NAMES - set(on)))
    for client in (editor_api, service_api):
        for endpoint in ENDPOINTS:
            with set_flags(*FLAG_NAMES):
                complete = client.get(endpoint).content
            with set_flags(*on):
                response = client.get(endpoint).content
            assert _without(_pairs(response), set()) == _without(_pairs(complete), hidden), endpoint
            for name in hidden:
                assert f'"{name}"'.encode() not in response


@pytest.mark.parametrize("on", COMBINATIONS, ids="+".join)
def test_a_field_that_is_off_is_not_searched(on, editor_api):
    with set_flags(*on):
        found = {
            word: editor_api.get(f"/api/assets?search={word}").json()["data"]["total"]
            for word in ("winter", "marmalade", "woollen", "cosy")
        }
    assert found == {
        "winter": 1,
        "marmalade": int(SEARCH_CREATOR_DESCRIPTION in on),
        "woollen": int(AI_METADATA in on),
        "cosy": int(AI_METADATA in on),
    }


def test_a_value_sent_while_its_flag_is_off_is_stored_and_shown_once_it_is_on(editor_api):
    sent = {
        "creatorDescription": "New words",
        "albumArt": "https://pictures.example/new.jpg",
        "aiMetadata": {"mood": "bright"},
    }
    with set_flags():
        response = editor_api.put("/api/assets/L.CAS.ATL.001", sent, format="json").json()["data"]
        assert not set(sent) & set(response)
    with set_flags(*FLAG_NAMES):
        response = editor_api.get("/api/assets/L.CAS.ATL.001").json()["data"]
    assert {name: response[name] for name in sent} == sent


@pytest.fixture
def another_process():
    """A separate connection, whose edits do not touch the caches of this process."""
    other = connection.copy()
    yield other
    other.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", [*ENDPOINTS[1:5], "/api/assets?sortBy=name", "/api/assets?search=marmalade"])
def test_a_flag_edit_of_another_process_takes_effect_in_the_next_response(editor_api, another_process, path):
    with set_flags():
        editor_api.get(path)
        for is_on in (True, False, True):
            with another_process.cursor() as cursor:
                cursor.execute("UPDATE flags_fieldflag SET everyone = %s", [is_on])
            response = editor_api.get(path)
            assert (b"Made of marmalade" in response.content) is is_on


@pytest.mark.django_db(transaction=True)
def test_a_taxonomy_change_of_another_process_takes_effect_in_the_next_response(editor_api, another_process):
    url = "/api/assets/3.099.002.001"
    assert editor_api.get(url).status_code == 404
    with another_process.cursor() as cursor:
        cursor.execute("UPDATE taxonomy_category SET number = 99 WHERE code = 'CAS' AND number = 1")
        cursor.execute(
            "INSERT INTO taxonomy_taxonomyversion (label, digest, document, changes, origin, created_at)"
            " SELECT '9.9.9', md5(digest), document, changes, origin, created_at FROM taxonomy_taxonomyversion"
            " ORDER BY id DESC LIMIT 1"
        )
    assert editor_api.get(url).json()["data"]["name"] == "L.CAS.ATL.001"
