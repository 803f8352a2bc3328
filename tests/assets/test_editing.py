"""Edits, curation, deletion, batches and reservations over HTTP."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from assets.consistency import check_consistency, expire_stale_reservations
from assets.editing import edit_tags
from assets.models import Asset, SequenceCounter, SequenceReservation
from common.errors import InvalidInput
from taxonomy.snapshot import TaxonomySnapshot
from tests.assets.conftest import assert_error, stored_bytes
from tests.assets.test_registration import send
from tests.factories.assets import DAY_ONE, make_asset, make_assets
from tests.support.flag_states import set_flags
from tests.support.media import make_mp4, make_png, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


def put(api: APIClient, key: str, **body: Any) -> Any:
    return api.put(f"/api/assets/{key}", body, format="json")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_an_edit_sets_only_the_given_fields(editor_api: APIClient, editor: User, method: str) -> None:
    asset = make_asset(tags=["old"], source="Original", registered_by="mira@studio.example")
    body = {"description": " New words ", "tags": ["b", "a", " ", "b"]}
    response = getattr(editor_api, method)(f"/api/assets/{asset.name}", body, format="json")
    assert response.status_code == 200, response.content
    data = response.json()["data"]
    assert (data["description"], data["tags"], data["source"]) == ("New words", ["b", "a", "b"], "Original")
    assert data["__v"] == 1
    assert data["registeredBy"] == "mira@studio.example"
    assert data["createdAt"] == "2025-06-01T12:01:00.000Z"
    assert data["updatedAt"] > "2026"
    change = asset.history.latest()
    assert change.history_user == editor
    assert (change.description, change.revision) == ("New words", 1)


def test_all_editable_fields_change(editor_api: APIClient) -> None:
    asset = make_asset("P.FAC.SWP")
    part = make_asset("G.POP.DRM")
    body = {
        "source": "Licensed", "trainingData": {"prompts": ["p"]}, "rights": '{"source":"Original"}',
        "creatorDescription": "mine", "albumArt": "https://art.example/a.jpg", "aiMetadata": {"mood": "calm"},
        "components": [part.name],
    }  # fmt: skip
    with set_flags("creator_description", "album_art", "ai_metadata"):
        data = put(editor_api, asset.public_id, **body).json()["data"]
    assert data["source"] == "Licensed"
    assert data["trainingData"] == {"prompts": ["p"]}
    assert data["rights"] == {"source": "Original"}
    assert data["creatorDescription"] == "mine"
    assert data["albumArt"] == "https://art.example/a.jpg"
    assert data["aiMetadata"] == {"mood": "calm"}
    assert data["components"] == [part.nna_address]
    assert data["name"] == asset.name


def test_empty_text_removes_album_art_and_creator_description(editor_api: APIClient) -> None:
    asset = make_asset("G.POP.DRM", album_art="https://art.example/a.jpg", creator_description="mine")
    assert put(editor_api, asset.name, albumArt="", creatorDescription="").status_code == 200
    asset.refresh_from_db()
    assert (asset.album_art, asset.creator_description) == (None, None)


def test_the_name_sent_for_an_empty_creator_description_is_ignored(editor_api: APIClient) -> None:
    song = make_asset("G.POP.DRM")
    composite = make_asset("C.MIX.OFF", components=[song.nna_address])
    for key, text in (
        (song.name, song.name), (song.name, song.name.lower()),
        (composite.name, composite.name), (composite.name, "C.MIX.OFF.001"),
    ):  # fmt: skip
        assert put(editor_api, key, creatorDescription=text, description="saved").status_code == 200
        row = Asset.objects.get(name=key)
        assert (row.creator_description, row.description) == (None, "saved")
    put(editor_api, song.name, creatorDescription="real words")
    put(editor_api, song.name, creatorDescription=song.name)
    assert Asset.objects.get(pk=song.pk).creator_description == song.name


def test_the_components_of_a_composite_cannot_change(editor_api: APIClient) -> None:
    songs = make_assets(2, "G.POP.DRM")
    components = [song.nna_address for song in songs]
    asset = make_asset("C.MIX.OFF", components=components)
    assert put(editor_api, asset.name, components=components).status_code == 200
    assert put(editor_api, asset.name, components=[songs[0].name, "1" + components[1][1:]]).status_code == 200
    for other in ([components[0]], components[::-1], []):
        assert_error(put(editor_api, asset.name, components=other), 400, "components")
    assert Asset.objects.get(pk=asset.pk).components == components


@pytest.mark.parametrize(
    "place",
    [
        {"layer": "L", "category": "Casual", "subcategory": "Athleisure"},
        {"layer": "l", "category": "CAS", "subcategory": "ATL"},
        {"category": "001"},
        {"subcategory": "CAS.ATL"},
    ],
)
def test_the_same_taxonomy_in_another_spelling_is_accepted(editor_api: APIClient, place: dict[str, str]) -> None:
    asset = make_asset()
    response = put(editor_api, asset.name, **place)
    assert response.status_code == 200, response.content
    data = response.json()["data"]
    assert (data["name"], data["category"], data["subcategory"]) == (asset.name, "Casual", "Athleisure")


def test_an_editor_cannot_change_the_taxonomy(editor_api: APIClient) -> None:
    asset = make_asset()
    assert_error(put(editor_api, asset.name, subcategory="Denim"), 400, "subcategory")
    assert_error(put(editor_api, asset.name, layer="S", category="Pop", subcategory="Base"), 400, "layer")
    assert_error(put(editor_api, asset.name, category="Nowhere"), 400, "category")
    # the error names the field that differs, not one with another spelling of the old value
    assert_error(put(editor_api, asset.name, layer="l", category="CAS", subcategory="DNM"), 400, "subcategory")
    assert Asset.objects.get().name == asset.name


def test_an_admin_who_changes_the_taxonomy_gives_a_new_address(admin_api: APIClient, admin_user: User) -> None:
    asset = make_asset()
    make_assets(2, "L.CAS.DNM")
    data = put(admin_api, asset.name, subcategory="Denim").json()["data"]
    assert (data["name"], data["subcategory"], data["_id"]) == ("L.CAS.DNM.003", "Denim", asset.public_id)
    row = Asset.objects.get(pk=asset.pk)
    assert row.nna_address == "L.001.003.003"
    assert row.media_key == asset.media_key
    assert row.history.latest().history_user == admin_user
    assert make_asset().name == "L.CAS.ATL.002"
    assert admin_api.get("/api/assets/count?layer=L&category=CAS&subcategory=DNM").json()["data"]["count"] == 3
    assert not wrong_live_counts()


def wrong_live_counts() -> list[str]:
    from taxonomy.snapshot_cache import current_taxonomy

    return check_consistency(current_taxonomy()).live_counts


def test_a_deleted_asset_is_hidden_and_keeps_its_number(editor_api: APIClient, admin_api: APIClient) -> None:
    name = send(editor_api).json()["data"]["name"]
    assert_error(editor_api.delete(f"/api/assets/{name}"), 403)
    response = admin_api.delete(f"/api/assets/{name}?reason=a+double")
    assert response.status_code == 200
    assert response.json()["data"] == {"message": f"Asset {name} deleted successfully"}
    row = Asset.objects.get()
    assert row.deletion_reason == "a double"
    assert row.deleted_by.startswith("admin")
    assert row.history.latest().history_change_reason == "a double"
    assert stored_bytes(row.media_key)
    assert_error(admin_api.delete(f"/api/assets/{name}"), 404)
    assert send(editor_api).json()["data"]["name"] == "L.CAS.ATL.002"


@pytest.mark.parametrize(("method", "status"), [("post", 201), ("put", 200)])
def test_admins_curate_assets(
    editor_api: APIClient, admin_api: APIClient, admin_user: User, method: str, status: int
) -> None:
    asset = make_asset()
    bare = make_asset(description="")
    assert_error(getattr(editor_api, method)(f"/api/assets/curate/{asset.name}"), 403)
    response = getattr(admin_api, method)(f"/api/assets/curate/{asset.name}")
    assert response.status_code == status
    assert response.json()["data"]["status"] == "curated"
    asset.refresh_from_db()
    assert asset.curated_by == admin_user.email
    assert_error(getattr(admin_api, method)(f"/api/assets/curate/{bare.name}"), 400, "description")
    assert_error(getattr(admin_api, method)("/api/assets/curate/L.CAS.ATL.999"), 404)


def test_tags_are_edited_in_bulk_within_the_limit(editor: User) -> None:
    assets = make_assets(3, tags=["a", "b"])
    pks = [asset.pk for asset in assets]
    now = timezone.now()
    assert edit_tags(pks, add=["c", "a", "c"], remove=["b"], by=editor, now=now, max_tags=5) == 3
    assert edit_tags(pks, add=["c"], remove=["b"], by=editor, now=now, max_tags=5) == 0
    assert {tuple(asset.tags) for asset in Asset.objects.all()} == {("a", "c")}
    with pytest.raises(InvalidInput):
        edit_tags(pks, add=list("defg"), remove=[], by=editor, now=now, max_tags=5)
    assert {tuple(asset.tags) for asset in Asset.objects.all()} == {("a", "c")}


CSV_ROW = {"layer": "L", "category": "CAS", "subcategory": "ATL", "source": "ReViz", "description": "x"}


def send_batch(api: APIClient, rows: Any, *names: str) -> Any:
    files = [upload(name, make_mp4() if name.endswith("mp4") else make_png()) for name in names]
    text = rows if isinstance(rows, str) else json.dumps(rows)
    return api.post("/api/assets/batch", {"csvData": text, "files[]": files}, format="multipart")


def test_a_batch_registers_its_rows_in_order(editor_api: APIClient, editor: User) -> None:
    song = make_asset("G.POP.DRM")
    rows = [
        CSV_ROW | {"filename": "b.png", "tags": "one, two", "creatorDescription": "mine"},
        CSV_ROW | {"filename": "c.mp4", "layer": "C", "category": "MIX", "subcategory": "OFF", "components": song.name},
        CSV_ROW | {"filename": "a.png", "tags": ["three"], "rights": {"source": "Original"}, "trainingData": "{}"},
    ]
    response = send_batch(editor_api, rows, "a.png", "b.png", "c.mp4")
    assert response.status_code == 201, response.content
    data = response.json()["data"]
    assert [row["name"] for row in data] == ["L.CAS.ATL.001", f"C.MIX.OFF.001:{song.nna_address}", "L.CAS.ATL.002"]
    assert data[0]["tags"] == ["one", "two"]
    assert data[2]["originalFilename"] == "a.png"
    assert {row["registeredBy"] for row in data} == {editor.email}
    assert not SequenceReservation.objects.exists()


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ("", "csvData"),
        ("{}", "csvData"),
        ("[", "csvData"),
        ("[]", "csvData"),
        ("[1]", "csvData[0]"),
        ([CSV_ROW | {"filename": "missing.png"}], "csvData[0]"),
        ([CSV_ROW], "csvData[0].filename"),
        ([CSV_ROW | {"filename": "a.png"}, CSV_ROW | {"filename": "b.png", "layer": "X"}], "csvData[1].layer"),
        (
            [CSV_ROW | {"filename": "a.png"}, CSV_ROW | {"filename": "b.png", "aiMetadata": "{"}],
            "csvData[1].aiMetadata",
        ),
        ([CSV_ROW | {"filename": "a.png"}, CSV_ROW | {"filename": "a.png"}], "csvData[1]"),
        ([CSV_ROW | {"filename": "a.png", "layer": "M", "category": "HIP", "subcategory": "BAS"}], "csvData[0].file"),
        ([CSV_ROW | {"filename": "a.png", "components": "L.CAS.ATL.999"}], "csvData[0].components"),
        ([CSV_ROW | {"filename": "a.png", "hue": "x"}], "csvData[0].hue"),
        ([CSV_ROW | {"filename": "a.png"}] * 101, "csvData"),
    ],
)
def test_a_batch_with_an_invalid_row_registers_nothing_and_names_the_row(
    editor_api: APIClient, rows: Any, field: str
) -> None:
    response = send_batch(editor_api, rows, "a.png", "b.png")
    assert response.status_code in (400, 415), response.content
    assert_error(response, response.status_code, field)
    assert not Asset.objects.exists()
    assert not SequenceCounter.objects.exists()
    assert not default_storage.exists("L/CAS/ATL/L.CAS.ATL.001.png")


def test_a_service_may_not_register_a_batch(service_api: APIClient) -> None:
    assert_error(send_batch(service_api, [CSV_ROW | {"filename": "a.png"}], "a.png"), 403)


def test_a_reserved_number_is_exclusive_and_expires_unused(editor_api: APIClient, editor: User) -> None:
    place = {"layer": "L", "category": "Casual", "subcategory": "ATL"}
    response = editor_api.post("/api/taxonomy/next-sequence", place, format="json")
    assert response.status_code == 201
    data = response.json()["data"]
    assert (data["sequence"], data["hfn"], data["mfa"]) == ("001", "L.CAS.ATL.001", "3.001.002.001")
    assert send(editor_api).json()["data"]["name"] == "L.CAS.ATL.002"
    reservation = SequenceReservation.objects.get()
    assert (reservation.reserved_by, reservation.purpose) == (editor.email, "request")
    assert reservation.expires_at - reservation.reserved_at == timedelta(minutes=5)
    expire_stale_reservations(timezone.now() + timedelta(minutes=6))
    reservation.refresh_from_db()
    assert reservation.released_at is not None
    assert send(editor_api).json()["data"]["name"] == "L.CAS.ATL.003"
    assert_error(editor_api.post("/api/taxonomy/next-sequence", place | {"layer": "X"}, format="json"), 400, "layer")
    assert_error(editor_api.post("/api/taxonomy/next-sequence", {}, format="json"), 400, "category")


def test_the_file_of_a_failed_registration_is_deleted_when_the_reservation_expires(taxonomy: TaxonomySnapshot) -> None:
    key = "L/CAS/ATL/L.CAS.ATL.001.png"
    default_storage.save(key, upload())
    node = taxonomy.node_by_codes("L", "CAS", "ATL")
    SequenceReservation.objects.create(
        taxonomy_node_id=node.pk, number=1, purpose="registration", media_key=key, reserved_at=DAY_ONE,
        expires_at=DAY_ONE + timedelta(minutes=5),
    )  # fmt: skip
    expire_stale_reservations(DAY_ONE + timedelta(hours=1))
    assert not default_storage.exists(key)
    assert SequenceReservation.objects.get().released_at is not None
