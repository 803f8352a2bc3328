"""Lists, details, counts, batches of addresses and metadata for users and services."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from assets.editing import delete_assets, restore_assets
from assets.models import Asset
from tests.assets.conftest import assert_error
from tests.factories.assets import DAY_ONE, make_asset, make_assets
from tests.support.flag_states import set_flags

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]
WIRE_KEYS = {
    "_id", "id", "layer", "category", "subcategory", "name", "nna_address", "gcpStorageUrl", "source", "tags",
    "description", "trainingData", "rights", "components", "registeredBy", "fileSize", "mimeType", "originalFilename",
    "status", "createdAt", "updatedAt", "__v", "songMetadata",
}  # fmt: skip


def items(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.content
    return response.json()["data"]["items"]


def names(api: APIClient, query: str) -> list[str]:
    return [item["name"] for item in items(api.get(f"/api/assets?{query}"))]


def test_the_page_of_a_user_is_an_object_with_the_newest_first(editor_api: APIClient) -> None:
    made = make_assets(25)
    response = editor_api.get("/api/assets?page=2&limit=12")
    body = response.json()
    assert body["success"] is True
    assert body["metadata"]["timestamp"].endswith("Z")
    data = body["data"]
    assert {name: data[name] for name in ("total", "page", "limit", "totalPages")} == {
        "total": 25, "page": 2, "limit": 12, "totalPages": 3,
    }  # fmt: skip
    assert [item["name"] for item in data["items"]] == [asset.name for asset in reversed(made)][12:24]
    assert data["items"][0].keys() == WIRE_KEYS


def test_the_page_of_a_service_is_an_array_beside_the_counts(service_api: APIClient) -> None:
    made = make_assets(3, "S.POP.DIV")
    body = service_api.get("/api/assets?layer=S&limit=1000&sort=createdAt&order=desc").json()
    assert [row["name"] for row in body["data"]] == [asset.name for asset in reversed(made)]
    assert (body["total"], body["page"], body["limit"], body["totalPages"]) == (3, 1, 1000, 1)
    row = body["data"][0]
    assert isinstance(row["createdAt"], str)
    assert isinstance(row["tags"], list)
    assert isinstance(row["components"], list)


def test_the_limit_defaults_to_10_and_is_capped_at_1000(editor_api: APIClient) -> None:
    make_assets(11)
    assert editor_api.get("/api/assets").json()["data"]["limit"] == 10
    assert editor_api.get("/api/assets?limit=5000").json()["data"]["limit"] == 1000
    assert editor_api.get("/api/assets?limit=&page=").json()["data"]["page"] == 1
    empty = editor_api.get("/api/assets?page=1000000").json()["data"]
    assert (empty["items"], empty["total"]) == ([], 11)


def test_unknown_parameters_are_ignored(editor_api: APIClient) -> None:
    make_assets(2)
    assert len(names(editor_api, "_t=1&_v=2&_fresh=true&foo=bar&sort=nonsense&order=sideways")) == 2


def test_a_row_contains_the_stored_values(editor_api: APIClient) -> None:
    asset = make_asset(
        tags=['a "quoted" tag', "夜"], description="Line one\nline two \\ / \u2028 end", file_size=2**40, revision=7,
        training_data={"prompts": ["p"]}, rights=None, original_filename="a b.png",
        created_at=DAY_ONE + timedelta(microseconds=402_999),
    )  # fmt: skip
    row = items(editor_api.get("/api/assets"))[0]
    assert row["_id"] == row["id"] == asset.public_id
    assert row["tags"] == asset.tags
    assert row["description"] == asset.description
    assert row["fileSize"] == 2**40
    assert row["__v"] == 7
    assert row["trainingData"] == {"prompts": ["p"]}
    assert row["rights"] is None
    assert row["createdAt"] == "2025-06-01T12:00:00.402Z"
    assert row["status"] == "active"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("layer=L", {"L.CAS.ATL.001", "L.CAS.DNM.001"}),
        ("layer=l", {"L.CAS.ATL.001", "L.CAS.DNM.001"}),
        ("layer=L&category=Casual&subcategory=Athleisure", {"L.CAS.ATL.001"}),
        ("layer=L&category=CAS&subcategory=ATL", {"L.CAS.ATL.001"}),
        ("layer=L&category=001&subcategory=002", {"L.CAS.ATL.001"}),
        ("category=casual", {"L.CAS.ATL.001", "L.CAS.DNM.001"}),
        ("category=Pop", {"G.POP.DRM.001", "S.POP.DIV.001"}),
        ("category=Pop&layer=S", {"S.POP.DIV.001"}),
        ("layer=X", set()),
        ("layer=L&category=Nowhere", set()),
        ("layer=L&category=CAS&subcategory=Nowhere", set()),
        ("tags=red", {"L.CAS.ATL.001", "S.POP.DIV.001"}),
        ("tags=red,slow", {"S.POP.DIV.001"}),
        ("tags[]=red&tags[]=slow", {"S.POP.DIV.001"}),
        ("registeredBy=THEO@studio.example", {"L.CAS.DNM.001"}),
        ("createdBy=theo@studio.example", {"L.CAS.DNM.001"}),
        ("status=curated", {"L.CAS.DNM.001"}),
        ("status=nonsense", set()),
        ("startDate=2025-07-01T00:00:00Z", {"L.CAS.DNM.001"}),
        ("createdAfter=2025-07-01", {"L.CAS.DNM.001"}),
        ("endDate=2025-06-30T00:00:00.000Z&layer=L", {"L.CAS.ATL.001"}),
        ("startDate=2025-07-01T00:00:00Z&createdBefore=2025-07-01T00:00:00Z", set()),
        ("components=G.POP.DRM.001", {"C.MIX.OFF.001:G.001.002.001"}),
        ("components=G.001.002.001", {"C.MIX.OFF.001:G.001.002.001"}),
        ("components=1.001.002.001", {"C.MIX.OFF.001:G.001.002.001"}),
        ("components=g.pop.drm.001&layer=C", {"C.MIX.OFF.001:G.001.002.001"}),
        ("components=S.POP.DIV.001", set()),
    ],
)
def test_filters_narrow_the_list_and_its_total(editor_api: APIClient, query: str, expected: set[str]) -> None:
    song = make_asset("G.POP.DRM")
    make_asset("L.CAS.ATL", tags=["red"])
    late = DAY_ONE + timedelta(days=40)
    make_asset("L.CAS.DNM", created_at=late, registered_by="theo@studio.example", curated_at=late)
    make_asset("S.POP.DIV", tags=["slow", "red"])
    make_asset("C.MIX.OFF", components=[song.nna_address])
    data = editor_api.get(f"/api/assets?{query}").json()["data"]
    assert {item["name"] for item in data["items"]} == expected
    assert data["total"] == len(expected)


def test_filters_on_gated_fields_apply_only_if_the_flag_is_on(editor_api: APIClient) -> None:
    make_asset(creator_description="mine", album_art="https://art.example/a.png")
    make_asset()
    with set_flags("creator_description", "album_art"):
        assert names(editor_api, "hasCreatorDescription=true") == ["L.CAS.ATL.001"]
        assert names(editor_api, "hasCreatorDescription=false") == ["L.CAS.ATL.002"]
        assert names(editor_api, "hasAlbumArt=true") == ["L.CAS.ATL.001"]
    with set_flags():
        assert len(names(editor_api, "hasCreatorDescription=true")) == 2
        assert len(names(editor_api, "hasAlbumArt=true")) == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "cba"),
        ("sort=createdAt&order=asc", "abc"),
        ("sortBy=createdAt&sortOrder=asc", "abc"),
        ("sortBy=updatedAt", "acb"),
        ("sortBy=updatedAt&sortDirection=asc", "bca"),
        ("sort=name", "cba"),
        ("sort=name&order=desc", "abc"),
        ("sort=layer", "cba"),
        ("sortBy=createdBy", "bca"),
        ("sortBy=registeredBy&sortOrder=desc", "acb"),
        ("sort=nonsense", "cba"),
        ("sort=nonsense&order=asc", "abc"),
    ],
)
def test_lists_are_sorted(editor_api: APIClient, query: str, expected: str) -> None:
    facts = {"a": ("W.URB.BAS", 3, "z"), "b": ("S.POP.DIV", 1, "x"), "c": ("G.POP.DRM", 2, "y")}
    for day, (label, (place, changed, person)) in enumerate(facts.items()):
        make_asset(
            place, description=label, created_at=DAY_ONE + timedelta(days=day),
            updated_at=DAY_ONE + timedelta(days=10 + changed), registered_by=f"{person}@studio.example",
        )  # fmt: skip
    assert "".join(row["description"] for row in items(editor_api.get(f"/api/assets?{query}"))) == expected


def test_pages_have_one_order_even_for_equal_timestamps(editor_api: APIClient) -> None:
    made = make_assets(30, created_at=DAY_ONE)
    pages = [name for page in range(1, 6) for name in names(editor_api, f"page={page}&limit=6")]
    assert pages == [a.name for a in sorted(made, key=lambda asset: asset.public_id, reverse=True)]
    searched = [name for page in range(1, 6) for name in names(editor_api, f"search=asset&page={page}&limit=6")]
    assert searched == pages


def test_totals_follow_deletion_and_restoration(editor_api: APIClient, admin_api: APIClient, admin_user: Any) -> None:
    made = make_assets(5)
    make_asset("S.POP.DIV")

    def totals() -> set[int]:
        place = "layer=L&category=CAS&subcategory=ATL"
        return {
            editor_api.get("/api/assets").json()["data"]["total"] - 1,
            editor_api.get("/api/assets?layer=L").json()["data"]["total"],
            editor_api.get(f"/api/assets?{place}").json()["data"]["total"],
            editor_api.get("/api/assets?search=casual").json()["data"]["total"],
            editor_api.get("/api/assets/count?layer=L").json()["data"]["count"],
            editor_api.get(f"/api/assets/count?{place}").json()["data"]["count"],
            editor_api.get("/api/assets/count").json()["data"]["count"] - 1,
            Asset.objects.live().filter(layer="L").count(),
        }

    assert totals() == {5}
    assert admin_api.delete(f"/api/assets/{made[0].name}").status_code == 200
    delete_assets([made[1].pk, made[1].pk], by=admin_user, now=timezone.now())
    assert totals() == {3}
    assert admin_api.get("/api/assets?includeDeleted=true&layer=L").json()["data"]["total"] == 5
    assert editor_api.get("/api/assets?includeDeleted=true&layer=L").json()["data"]["total"] == 3
    restore_assets([made[0].pk, made[1].pk], by=admin_user, now=timezone.now())
    assert totals() == {5}
    Asset.objects.filter(pk=made[2].pk).delete()
    assert totals() == {4}


@pytest.mark.parametrize("prefix", ["/api/assets/", "/api/assets/address/", "/api/assets/nna/"])
def test_an_asset_is_found_by_any_reference(editor_api: APIClient, prefix: str) -> None:
    asset = make_asset(revision=3)
    numeric = "3" + asset.nna_address[1:]
    for key in (asset.name, asset.name.lower(), asset.nna_address, numeric, asset.public_id, asset.public_id.upper()):
        response = editor_api.get(prefix + key)
        assert response.status_code == 200, key
        assert response.json()["data"]["_id"] == asset.public_id
    missing = assert_error(editor_api.get(prefix + "L.CAS.ATL.099"), 404)
    assert missing == "Asset not found: L.CAS.ATL.099"


def test_a_composite_is_found_by_base_name_and_by_name_in_both_spellings(editor_api: APIClient) -> None:
    components = [make_asset("G.POP.DRM").nna_address, make_asset("S.POP.DIV").nna_address]
    asset = make_asset("C.MIX.OFF", components=components)
    plus = f"C.MIX.OFF.001:{components[0]}+{components[1]}"
    for key in (asset.name, plus, asset.name.replace(":", "%3A"), "C.MIX.OFF.001", "C.MIX.OFF.001:", "C.001.001.001"):
        for prefix in ("", "address/"):
            assert editor_api.get(f"/api/assets/{prefix}{key}").json()["data"]["_id"] == asset.public_id, key
    # numeric layer 9 with base alone
    assert editor_api.get("/api/assets/address/9.001.001.001").json()["data"]["name"] == asset.name
    other_components = f"C.MIX.OFF.001:{components[1]}"
    assert editor_api.get(f"/api/assets/{other_components}").status_code in (200, 404)


def test_a_legacy_name_with_a_trailing_colon_is_found_in_both_spellings(editor_api: APIClient) -> None:
    asset = make_asset("C.MIX.OFF", name="C.MIX.OFF.001:")
    for key in ("C.MIX.OFF.001", "C.MIX.OFF.001:", "c.mix.off.001:"):
        assert editor_api.get(f"/api/assets/{key}").json()["data"]["name"] == asset.name


def test_an_irregular_legacy_address_finds_its_asset(editor_api: APIClient) -> None:
    asset = make_asset("G.POP.BAS", nna_address="G.undefined.undefined.001", has_irregular_address=True)
    for key in ("G.undefined.undefined.001", "G.001.001.001", "1.001.001.001", "G.POP.BAS.001"):
        assert editor_api.get(f"/api/assets/{key}").json()["data"]["_id"] == asset.public_id, key


def test_admins_may_read_deleted_assets(editor_api: APIClient, admin_api: APIClient) -> None:
    asset = make_asset(deleted_at=DAY_ONE)
    assert_error(editor_api.get(f"/api/assets/{asset.name}"), 404)
    assert_error(editor_api.get(f"/api/assets/{asset.name}?includeDeleted=true"), 404)
    assert_error(admin_api.get(f"/api/assets/{asset.name}"), 404)
    assert admin_api.get(f"/api/assets/{asset.name}?includeDeleted=true").status_code == 200
    assert_error(admin_api.put(f"/api/assets/{asset.name}", {"description": "x"}, format="json"), 404)


def test_reads_require_a_user_or_a_service_key(api: APIClient, service_api: APIClient) -> None:
    asset = make_asset()
    for path in ("assets", f"assets/{asset.name}", "assets/count", "assets/search", f"assets/{asset.name}/metadata"):
        assert_error(api.get(f"/api/{path}"), 401)
        assert service_api.get(f"/api/{path}").status_code == 200, path
    assert_error(APIClient(headers={"X-API-Key": "nna_wrong"}).get("/api/assets"), 401)
    assert_error(service_api.put(f"/api/assets/{asset.name}", {"description": "x"}, format="json"), 403)
    assert_error(service_api.delete(f"/api/assets/{asset.name}"), 403)
    assert_error(service_api.post("/api/taxonomy/next-sequence", {"layer": "L"}, format="json"), 403)


@pytest.mark.parametrize(
    ("ai", "tags", "expected"),
    [
        ({"bpm": 104, "genre": "pop"}, ["90bpm"], {"bpm": 104, "genre": "pop"}),
        (None, ["slow", "120bpm"], {"bpm": 120, "genre": None}),
        ({"genre": ["pop", "rock"], "bpm": "fast"}, ["99bpm"], {"bpm": 99, "genre": None}),
        ({"bpm": 87.5}, [], {"bpm": 87.5, "genre": None}),
        ({"genre": "jazz"}, ["1000bpm", "bpm", "x90bpm"], {"bpm": None, "genre": "jazz"}),
        (None, ["slow"], None),
    ],
)
def test_a_song_s_tempo_and_genre_come_from_its_metadata_or_its_tags(
    service_api: APIClient, ai: Any, tags: list[str], expected: Any
) -> None:
    make_asset("G.POP.DRM", ai_metadata=ai, tags=tags)
    make_asset("S.POP.DIV", ai_metadata=ai, tags=tags)
    with set_flags("ai_metadata"):
        by_layer = {row["layer"]: row["songMetadata"] for row in service_api.get("/api/assets").json()["data"]}
        assert by_layer == {"G": expected, "S": None}
        metadata = service_api.get("/api/assets/G.POP.DRM.001/metadata").json()["data"]
    assert metadata["songMetadata"] == expected
    assert metadata["aiMetadata"] == ai


def test_metadata_is_the_shorter_document(service_api: APIClient) -> None:
    asset = make_asset(tags=["a"], creator_description="mine")
    with set_flags("creator_description", "album_art", "ai_metadata"):
        data = service_api.get(f"/api/assets/{asset.public_id}/metadata").json()["data"]
    keys = {"tags", "description", "creatorDescription", "aiMetadata", "songMetadata", "albumArt", "components"}
    assert data.keys() == keys
    assert data["creatorDescription"] == "mine"
    with set_flags():
        data = service_api.get(f"/api/assets/{asset.public_id}/metadata").json()["data"]
    assert data.keys() == keys - {"creatorDescription", "aiMetadata", "albumArt"}


def test_a_batch_of_addresses_keeps_its_order(service_api: APIClient) -> None:
    looks = make_assets(3)
    composite = make_asset("C.MIX.OFF", components=[looks[0].nna_address])
    gone = make_asset("S.POP.DIV", deleted_at=DAY_ONE)
    wanted = [
        looks[2].name,
        "L.CAS.ATL.999",
        composite.nna_address,
        looks[0].public_id,
        gone.name,
        "?",
        looks[1].nna_address,
    ]
    response = service_api.post("/api/assets/batch", {"addresses": wanted}, format="json")
    assert response.status_code == 200
    assert [row["name"] for row in response.json()["data"]] == [
        looks[2].name, composite.name, looks[0].name, looks[1].name,
    ]  # fmt: skip
    numeric = ["3" + asset.nna_address[1:].lower() for asset in looks]
    rows = service_api.post("/api/assets/batch", {"addresses": numeric}, format="json").json()["data"]
    assert [row["name"] for row in rows] == [asset.name for asset in looks]
    assert service_api.post("/api/assets/batch", {"addresses": []}, format="json").json()["data"] == []


@pytest.mark.parametrize(
    "body", [{}, {"addresses": "x"}, {"addresses": [1]}, {"addresses": ["a"] * 1001}, {"addresses": ["\x00"]}]
)
def test_an_invalid_batch_of_addresses_is_rejected(service_api: APIClient, body: Any) -> None:
    assert_error(service_api.post("/api/assets/batch", body, format="json"), 400, "addresses")
    assert_error(service_api.post("/api/assets/batch", [1], format="json"), 400)


@pytest.mark.parametrize(
    "path",
    [
        "/api/assets?limit=1000",
        "/api/assets?layer=L&category=CAS&limit=1000",
        "/api/assets?search=asset&limit=1000",
        "/api/assets?search=L.CAS.ATL.003&limit=1",
        "/api/assets?tags=general",
        "/api/assets/L.CAS.ATL.003",
        "/api/assets/address/3.001.002.003",
        "/api/assets/count?layer=L",
        "/api/assets/L.CAS.ATL.003/metadata",
    ],
)
def test_the_query_count_of_a_read_is_constant(
    editor_api: APIClient, path: str, django_assert_max_num_queries: Any
) -> None:
    make_assets(10)
    assert editor_api.get(path).status_code == 200  # caches the user
    with django_assert_max_num_queries(4) as few:
        editor_api.get(path)
    make_assets(50)
    with django_assert_max_num_queries(4) as many:
        editor_api.get(path)
    assert len(few) == len(many)


def test_the_query_count_of_a_batch_of_addresses_is_constant(
    service_api: APIClient, django_assert_max_num_queries: Any
) -> None:
    addresses = [asset.nna_address for asset in make_assets(60)]
    service_api.post("/api/assets/batch", {"addresses": addresses[:2]}, format="json")
    for wanted in (addresses[:2], addresses):
        with django_assert_max_num_queries(4):
            response = service_api.post("/api/assets/batch", {"addresses": wanted}, format="json")
        assert len(response.json()["data"]) == len(wanted)
