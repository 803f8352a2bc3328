"""Registration over HTTP, in the form of the frontends."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from assets.models import Asset, SequenceReservation
from tests.assets.conftest import assert_error, stored_bytes
from tests.factories.assets import make_asset, make_assets
from tests.support.flag_states import set_flags
from tests.support.media import make_jpeg, make_mp3, make_mp4, make_png, make_svg, make_wav, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


def send(api: APIClient, **parts: Any) -> Any:
    """Send the parts of the frontend. None omits a part, a list repeats it."""
    form = {
        "file": upload(), "layer": "L", "category": "Casual", "subcategory": "Athleisure", "source": "ReViz",
        "description": "Slate zip hoodie", "tags": '["general"]',
        "trainingData": '{"prompts":[],"images":[],"videos":[]}',
        "rights": '{"source":"Original","rights_split":"100%"}',
    } | parts  # fmt: skip
    form = {name: value for name, value in form.items() if value is not None}
    return api.post("/api/assets", form, format="multipart")


def test_a_look_is_registered_with_the_first_number_of_its_subcategory(editor_api: APIClient, editor: Any) -> None:
    png = make_png("red")
    response = send(editor_api, file=upload("Slate hoodie.final.PNG", png))
    assert response.status_code == 201, response.content
    body = response.json()
    assert body["success"] is True
    asset = body["data"]
    row = Asset.objects.get()
    assert asset["_id"] == asset["id"] == row.public_id
    assert asset["name"] == "L.CAS.ATL.001"
    assert asset["nna_address"] == row.nna_address == "L.001.002.001"
    assert asset["category"] == "Casual"
    assert asset["subcategory"] == "Athleisure"
    assert asset["gcpStorageUrl"] == "http://testserver/media/L/CAS/ATL/L.CAS.ATL.001.png"
    assert asset["registeredBy"] == editor.email
    assert asset["fileSize"] == len(png)
    assert asset["mimeType"] == "image/png"
    assert asset["originalFilename"] == "Slate hoodie.final.PNG"
    assert asset["trainingData"] == {"prompts": [], "images": [], "videos": []}
    assert asset["rights"] == {"source": "Original", "rights_split": "100%"}
    assert asset["tags"] == ["general"]
    assert stored_bytes("L/CAS/ATL/L.CAS.ATL.001.png") == png
    assert not SequenceReservation.objects.exists()


@pytest.mark.parametrize(
    ("layer", "category", "subcategory"),
    [
        ("L", "Casual", "Athleisure"),
        ("l", "CASUAL", "athleisure"),
        ("L", "CAS", "ATL"),
        ("L", "cas", "CAS.ATL"),
        ("L", "001", "002"),
    ],
)
def test_the_taxonomy_is_resolved_in_any_spelling(
    editor_api: APIClient, layer: str, category: str, subcategory: str
) -> None:
    response = send(editor_api, layer=layer, category=category, subcategory=subcategory)
    assert response.status_code == 201, response.content
    data = response.json()["data"]
    assert (data["layer"], data["category"], data["subcategory"]) == ("L", "Casual", "Athleisure")
    assert data["name"] == "L.CAS.ATL.001"


@pytest.mark.parametrize("category", ["Hip_Hop", "hip hop", "HIP-HOP", "HIP", "002"])
def test_spaces_hyphens_and_underscores_are_equal_in_names(editor_api: APIClient, category: str) -> None:
    response = send(editor_api, layer="S", category=category, subcategory="Base")
    assert response.status_code == 201, response.content
    assert response.json()["data"]["category"] == "Hip_Hop"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"tags": '["b","a"]'}, ["b", "a"]),
        ({"tags": "b, a ,"}, ["b", "a"]),
        ({"tags": ["b", "a"]}, ["b", "a"]),
        ({"tags": None, "tags[]": ["b", "a"]}, ["b", "a"]),
        ({"tags": "[]"}, []),
        ({"tags": ""}, []),
        ({"tags": None}, []),
        ({"tags": '["Überfluß, ein", "夜"]'}, ["Überfluß, ein", "夜"]),
    ],
)
def test_tags_are_parsed_in_four_spellings_in_their_order(
    editor_api: APIClient, parts: dict[str, Any], expected: list[str]
) -> None:
    response = send(editor_api, **parts)
    assert response.status_code == 201, response.content
    assert response.json()["data"]["tags"] == Asset.objects.get().tags == expected


@pytest.mark.parametrize("empty", [{"components[]": ""}, {"components": "[]"}, {"components": ""}, {}])
def test_a_blank_components_part_means_no_components(editor_api: APIClient, empty: dict[str, str]) -> None:
    response = send(editor_api, **empty)
    assert response.status_code == 201, response.content
    assert response.json()["data"]["components"] == []


def test_obsolete_fields_are_ignored(editor_api: APIClient) -> None:
    ignored_fields = ("name", "nnaAddress", "nna_address", "metadata", "friendlyName", "aiDescription")
    response = send(editor_api, **dict.fromkeys((*ignored_fields, "extractedSongData", "musicMetadata"), "x"))
    assert response.status_code == 201, response.content
    assert response.json()["data"]["name"] == "L.CAS.ATL.001"
    assert "metadata" not in response.json()["data"]


def test_optional_fields_have_defaults(editor_api: APIClient) -> None:
    response = send(editor_api, source=None, tags=None, trainingData=None, rights=None)
    data = response.json()["data"]
    assert response.status_code == 201
    assert (data["source"], data["tags"], data["components"]) == ("ReViz", [], [])


def test_gated_fields_are_stored_while_their_flags_are_off(editor_api: APIClient) -> None:
    with set_flags():
        response = send(
            editor_api, layer="G", category="Pop", subcategory="Dream_Pop",
            file=upload("paper harbour.mp3", make_mp3(), "audio/mpeg"),
            creatorDescription=" Paper Harbour - The Night Ferries ", albumArt="https://art.example/a.jpg",
            aiMetadata='{"mood":"wistful","bpm":104,"own":{"kept":1}}',
        )  # fmt: skip
    assert response.status_code == 201, response.content
    data = response.json()["data"]
    assert not {"creatorDescription", "albumArt", "aiMetadata", "albumArtDetails"} & data.keys()
    row = Asset.objects.get()
    assert row.creator_description == "Paper Harbour - The Night Ferries"
    assert row.album_art == "https://art.example/a.jpg"
    assert row.ai_metadata == {"mood": "wistful", "bpm": 104, "own": {"kept": 1}}
    assert row.media_key == "G/POP/DRM/G.POP.DRM.001.mp3"


def test_gated_fields_are_in_the_response_if_their_flags_are_on(editor_api: APIClient) -> None:
    with set_flags("creator_description", "album_art", "ai_metadata"):
        data = send(
            editor_api, creatorDescription="x" * 500, aiMetadata='{"mood":"calm"}',
            albumArt='{"sourceUrl":"https://art.example/b.jpg","source":"iTunes"}',
        ).json()["data"]  # fmt: skip
    assert data["creatorDescription"] == "x" * 500
    assert data["albumArt"] == "https://art.example/b.jpg"
    assert data["aiMetadata"] == {"mood": "calm"}


def test_the_name_of_a_composite_contains_its_components_in_order(editor_api: APIClient) -> None:
    song = make_asset("G.POP.DRM")
    star = make_asset("S.POP.DIV")
    look = make_asset()
    world = make_asset("W.BCH.SUN")
    response = send(
        editor_api, layer="C", category="Music_Videos", subcategory="Remixes",
        file=upload("cut.mp4", make_mp4(), "video/mp4"),
        # by name, by stored address, by numeric address, by id
        **{"components[]": [song.name, star.nna_address, "3" + look.nna_address[1:], world.public_id]},
    )  # fmt: skip
    assert response.status_code == 201, response.content
    data = response.json()["data"]
    components = [song.nna_address, star.nna_address, look.nna_address, world.nna_address]
    assert data["components"] == components
    assert data["name"] == ":".join(["C.MIX.RMX.001", *components])
    assert data["nna_address"].startswith("C.001.")
    assert ":" not in data["nna_address"]
    key = f"C/MIX/RMX/{data['name']}.mp4"
    assert data["gcpStorageUrl"] == "http://testserver/media/" + key
    assert stored_bytes(key) == make_mp4()


@pytest.mark.parametrize("spelling", ["json", "commas", "repeated"])
def test_components_are_parsed_in_three_spellings(editor_api: APIClient, spelling: str) -> None:
    components = [make_asset("G.POP.DRM").nna_address, make_asset("S.POP.DIV").nna_address]
    value = {"json": json.dumps(components), "commas": ",".join(components), "repeated": components}[spelling]
    data = send(
        editor_api, layer="C", category="MIX", subcategory="OFF", file=upload("c.mp4", make_mp4()), components=value
    ).json()["data"]
    assert data["components"] == components


def test_the_same_components_again_get_a_new_number(editor_api: APIClient) -> None:
    song = make_asset("G.POP.DRM")
    form = {"layer": "C", "category": "MIX", "subcategory": "OFF", "components": [song.name]}
    names = [send(editor_api, file=upload("c.mp4", make_mp4()), **form).json()["data"]["name"] for _ in range(2)]
    assert names == [f"C.MIX.OFF.001:{song.nna_address}", f"C.MIX.OFF.002:{song.nna_address}"]


def test_a_composite_without_components_has_no_trailing_colon(editor_api: APIClient) -> None:
    data = send(
        editor_api, layer="C", category="MIX", subcategory="OFF", file=upload("c.mp4", make_mp4()), components=""
    ).json()["data"]
    assert data["name"] == "C.MIX.OFF.001"


def test_names_of_other_layers_do_not_contain_components(editor_api: APIClient) -> None:
    song = make_asset("G.POP.DRM")
    data = send(editor_api, layer="P", category="FAC", subcategory="SWP", components=[song.name]).json()["data"]
    assert data["name"] == "P.FAC.SWP.001"
    assert data["components"] == [song.nna_address]


def test_invalid_components_are_rejected_by_name(editor_api: APIClient) -> None:
    song = make_asset("G.POP.DRM")
    gone = make_asset("G.POP.DRM", deleted_at=song.created_at)
    composite = make_asset("C.MIX.OFF", components=[song.nna_address])
    eleven = [asset.name for asset in make_assets(11, "S.POP.BAS")]
    form = {"layer": "C", "category": "MIX", "subcategory": "OFF"}

    def reject(*references: str) -> str:
        response = send(editor_api, file=upload("c.mp4", make_mp4()), components=list(references), **form)
        return assert_error(response, 400, "components")

    assert reject("G.POP.DRM.999") == "Component not found: G.POP.DRM.999"
    assert reject("nonsense") == "Component not found: nonsense"
    assert reject(gone.name) == f"Component not found: {gone.name}"
    assert "twice" in reject(song.name, song.nna_address)
    assert composite.nna_address in reject(composite.nna_address)
    assert "at most 10" in reject(*eleven)
    assert not SequenceReservation.objects.exists()


@pytest.mark.parametrize(
    ("layer", "category", "subcategory", "name", "content", "mime_type"),
    [
        ("G", "POP", "BAS", "a.wav", make_wav(), "audio/wav"),
        ("G", "POP", "BAS", "a.mp3", make_mp3(), "audio/mpeg"),
        ("S", "POP", "BAS", "a.jpg", make_jpeg(), "image/jpeg"),
        ("L", "CAS", "BAS", "a.svg", make_svg(), "image/svg+xml"),
        ("M", "HIP", "BAS", "a.json", b'{"frames": []}', "application/json"),
        ("M", "HIP", "BAS", "a.mov", make_mp4(b"qt  "), "video/quicktime"),
        ("W", "URB", "BAS", "a.gltf", b'{"asset": {"version": "2.0"}, "scenes": []}', "model/gltf+json"),
        ("C", "MIX", "OFF", "a.mp4", make_mp4(), "video/mp4"),
    ],
)
def test_the_media_type_is_detected_from_the_bytes(
    editor_api: APIClient, layer: str, category: str, subcategory: str, name: str, content: bytes, mime_type: str
) -> None:
    response = send(
        editor_api, layer=layer, category=category, subcategory=subcategory,
        file=upload(name, content, "application/octet-stream"),
    )  # fmt: skip
    assert response.status_code == 201, response.content
    assert response.json()["data"]["mimeType"] == mime_type
    assert stored_bytes(Asset.objects.get().media_key) == content


def test_only_users_may_register(api: APIClient, service_api: APIClient, editor_api: APIClient) -> None:
    assert_error(send(api), 401)
    assert_error(send(service_api), 403)
    assert_error(send(APIClient(headers={"Authorization": "Bearer MOCK-123456789"})), 401)
    assert send(editor_api).status_code == 201
    assert Asset.objects.get().history.get().history_user.email.startswith("user")


def test_media_types_are_not_enforced_if_the_setting_is_off(editor_api: APIClient, settings: Any) -> None:
    settings.ASSETS_ENFORCE_MEDIA_TYPES = False
    response = send(editor_api, file=upload("song.txt", b"la la la", "text/plain"))
    assert response.status_code == 201
    assert response.json()["data"]["gcpStorageUrl"].endswith("L.CAS.ATL.001.txt")


def test_the_query_count_of_a_registration_is_constant(editor_api: APIClient, django_assert_num_queries: Any) -> None:
    """User, taxonomy version; number, reservation; reservation used, row, history; response; and four savepoints."""
    for count in (0, 60):
        make_assets(count)
        send(editor_api)
        with django_assert_num_queries(12):
            assert send(editor_api).status_code == 201
