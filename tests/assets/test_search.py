"""Results and ranking of searches through the API."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.factories.assets import DAY_ONE, make_asset, make_assets
from tests.support.flag_states import set_flags

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


def search(api: APIClient, text: str, **params: Any) -> list[str]:
    response = api.get("/api/assets", {"search": text, "limit": 50} | params)
    assert response.status_code == 200, response.content
    data = response.json()["data"]
    assert data["total"] >= len(data["items"])
    return [item["name"] for item in data["items"]]


def test_an_exact_match_ranks_first(editor_api: APIClient) -> None:
    made = make_assets(12)
    asset = made[2]
    make_asset("S.POP.DIV", description=f"goes with {asset.name} and {asset.nna_address}, see {asset.public_id}")
    numeric = "3" + asset.nna_address[1:]
    for key in (asset.name, asset.name.lower(), asset.nna_address, numeric, asset.public_id):
        assert search(editor_api, key)[0] == asset.name, key
        assert search(editor_api, key, limit=1) == [asset.name], key
    assert search(editor_api, asset.name) == [asset.name, "S.POP.DIV.001"]


def test_a_name_that_is_a_prefix_of_another_is_the_exact_match(editor_api: APIClient) -> None:
    first = make_asset("G.POP.DRM")
    make_assets(5, "C.MIX.OFF", components=[first.nna_address])
    assert search(editor_api, first.nna_address)[0] == first.name
    assert len(search(editor_api, first.nna_address)) == 6
    base = "C.MIX.OFF.003"
    assert search(editor_api, base, limit=1) == [f"{base}:{first.nna_address}"]
    assert search(editor_api, f"{base}+{first.nna_address}", limit=1) == [f"{base}:{first.nna_address}"]


def test_whole_text_ranks_before_separate_words_before_word_forms(editor_api: APIClient) -> None:
    make_asset("S.POP.BAS", description="a river of neon", created_at=DAY_ONE + timedelta(days=4))  # 3
    make_asset("L.CAS.ATL", description="rivers of light, all neon", created_at=DAY_ONE + timedelta(days=3))  # 2
    make_asset("W.URB.BAS", description="A Neon-Rivers bank", created_at=DAY_ONE)  # 1: whole
    make_asset("M.HIP.BAS", tags=["neon_rivers"], created_at=DAY_ONE + timedelta(days=1))  # 1: whole, younger
    make_asset("G.POP.BAS", description="neon only", created_at=DAY_ONE + timedelta(days=9))
    found = search(editor_api, "neon rivers")
    assert found == ["M.HIP.BAS.001", "W.URB.BAS.001", "L.CAS.ATL.001", "S.POP.BAS.001"]


def test_other_word_forms_rank_last(editor_api: APIClient) -> None:
    make_asset("S.POP.BAS", description="She was dancing", created_at=DAY_ONE + timedelta(days=1))
    make_asset("L.CAS.ATL", description="They danced", created_at=DAY_ONE)
    make_asset("W.URB.BAS", description="made for dances", created_at=DAY_ONE)
    assert search(editor_api, "dances") == ["W.URB.BAS.001", "S.POP.BAS.001", "L.CAS.ATL.001"]


@pytest.mark.parametrize("text", ["hip hop", "Hip_Hop", "HIP-HOP", "hip_hop base", "  hip   hop  "])
def test_separators_and_case_are_ignored(editor_api: APIClient, text: str) -> None:
    make_asset("S.HIP.BAS")
    make_asset("L.CAS.ATL", tags=["hip-hop", "base"], description="x")
    assert set(search(editor_api, text)) == {"S.HIP.BAS.001", "L.CAS.ATL.001"}


@pytest.mark.parametrize("text", ["athleis", "thleisure", "CAS.ATL", ".ATL.", "atl.00", "001.002.001"])
def test_substrings_of_words_and_names_match(editor_api: APIClient, text: str) -> None:
    make_asset("L.CAS.ATL")
    make_asset("S.POP.BAS")
    assert search(editor_api, text) == ["L.CAS.ATL.001"]


def test_percent_and_backslash_are_literal(editor_api: APIClient) -> None:
    make_asset("L.CAS.ATL", description="100% cotton")
    make_asset("L.CAS.ATL", description="100 cotton")
    make_asset("L.CAS.ATL", description="a\\b")
    assert search(editor_api, "%") == ["L.CAS.ATL.001"]
    assert search(editor_api, "100%")[0] == "L.CAS.ATL.001"  # the bare word 100 comes after it
    assert search(editor_api, "a\\b") == ["L.CAS.ATL.003"]
    assert search(editor_api, "\\") == ["L.CAS.ATL.003"]
    assert search(editor_api, "%otto%") == []


@pytest.mark.parametrize(
    "text", ["'", '"', "a' OR 1=1 --", "!", "& |", "<->", "(", "a:*", "***", "§", "夜", "😀", "_", "- -"]
)
def test_special_characters_have_no_effect(editor_api: APIClient, text: str) -> None:
    make_asset("L.CAS.ATL", description="plain")
    assert search(editor_api, text) == []


def test_one_and_two_letters_match(editor_api: APIClient) -> None:
    make_asset("L.CAS.ATL", description="xy")
    make_asset("S.POP.BAS", description="夜 song")
    assert search(editor_api, "xy") == ["L.CAS.ATL.001"]
    assert search(editor_api, "x") == ["L.CAS.ATL.001"]
    assert search(editor_api, "夜") == ["S.POP.BAS.001"]


def test_an_empty_search_selects_all_assets(editor_api: APIClient) -> None:
    make_assets(3)
    for text in ("", "   "):
        assert len(search(editor_api, text)) == 3


def test_unicode_forms_of_a_character_are_equal(editor_api: APIClient) -> None:
    make_asset("L.CAS.ATL", description="Café")
    assert search(editor_api, "Cafe\u0301") == ["L.CAS.ATL.001"]
    assert search(editor_api, "CAFÉ") == ["L.CAS.ATL.001"]


def test_all_words_must_match(editor_api: APIClient) -> None:
    make_asset("L.CAS.ATL", description="slate hoodie", tags=["winter"])
    make_asset("L.CAS.DNM", description="slate jeans")
    assert search(editor_api, "winter slate casual athleisure") == ["L.CAS.ATL.001"]
    assert search(editor_api, "slate summer") == []


def test_the_creator_description_is_searched_only_if_its_flag_is_on(editor_api: APIClient) -> None:
    make_asset("G.POP.DRM", creator_description="Paper Harbour")
    make_asset("S.POP.DIV", ai_metadata={"generatedDescription": "paper lanterns", "mood": "wistful", "genre": "folk"})
    with set_flags("creator_description", "album_art"):
        assert search(editor_api, "paper") == []
    with set_flags("search_creator_description"):
        assert search(editor_api, "paper") == ["G.POP.DRM.001"]
        assert search(editor_api, "harbours") == ["G.POP.DRM.001"]
        assert search(editor_api, "paper dream") == ["G.POP.DRM.001"]
    with set_flags("ai_metadata"):
        assert search(editor_api, "paper") == ["S.POP.DIV.001"]
        assert search(editor_api, "wistful") == search(editor_api, "folk") == ["S.POP.DIV.001"]
    with set_flags("search_creator_description", "ai_metadata"):
        assert set(search(editor_api, "paper")) == {"G.POP.DRM.001", "S.POP.DIV.001"}


def test_search_and_filters_combine(editor_api: APIClient) -> None:
    make_asset("L.CAS.ATL", description="neon", tags=["a"])
    make_asset("S.POP.DIV", description="neon", tags=["a", "b"])
    gone = make_asset("S.POP.DIV", description="neon", deleted_at=DAY_ONE)
    assert search(editor_api, "neon", layer="S") == ["S.POP.DIV.001"]
    assert search(editor_api, "neon", layer="L", category="Casual", subcategory="Athleisure") == ["L.CAS.ATL.001"]
    assert search(editor_api, "neon", tags="a,b") == ["S.POP.DIV.001"]
    assert search(editor_api, gone.name) == []
    assert search(editor_api, gone.public_id) == []
    assert search(editor_api, "neon", sort="layer", order="asc") == ["L.CAS.ATL.001", "S.POP.DIV.001"]


def test_all_pages_of_a_search_have_the_same_total(editor_api: APIClient) -> None:
    make_assets(25, description="neon")
    for page, rows in ((1, 12), (2, 12), (3, 1), (4, 0)):
        data = editor_api.get(f"/api/assets?search=neon&limit=12&page={page}").json()["data"]
        assert (len(data["items"]), data["total"], data["totalPages"], data["page"]) == (rows, 25, 3, page)


def test_the_search_path_gives_the_same_results_in_both_dialects(service_api: APIClient, editor_api: APIClient) -> None:
    make_asset("L.CAS.ATL", description="neon", tags=["a", "b"])
    make_asset("S.POP.DIV", description="neon")
    body = service_api.get("/api/assets/search?q=neon&limit=100").json()
    assert [row["name"] for row in body["data"]] == ["S.POP.DIV.001", "L.CAS.ATL.001"]
    assert body["total"] == 2
    body = service_api.get("/api/assets/search?q=neon&limit=100&layer=L&category=Casual&tags=a,b").json()
    assert [row["name"] for row in body["data"]] == ["L.CAS.ATL.001"]
    data = editor_api.get("/api/assets/search?search=neon").json()["data"]
    assert [row["name"] for row in data["items"]] == ["S.POP.DIV.001", "L.CAS.ATL.001"]
    posted = editor_api.post("/api/assets/search", {"q": "neon", "limit": 1, "tags": ["a", "b"]}, format="json")
    assert [row["name"] for row in posted.json()["data"]["items"]] == ["L.CAS.ATL.001"]
    assert editor_api.post("/api/assets/search", [1], format="json").status_code == 400
    assert editor_api.post("/api/assets/search", {"q": {"$ne": 1}}, format="json").status_code in (200, 400)
