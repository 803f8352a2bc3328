"""Album art in requests and responses of the legacy API."""

import base64
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from albumart.models import Artwork, ArtworkContent
from assets.models import Asset
from taxonomy.snapshot_cache import clear_taxonomy_cache
from tests.albumart.conftest import run
from tests.factories.albumart import make_song, make_stored
from tests.factories.assets import make_asset
from tests.factories.taxonomy import load_starter_taxonomy
from tests.support.flag_states import set_flags
from tests.support.media import make_wav, upload
from tests.support.sample_images import make_cover
from tests.support.source_server import SourceServer

pytestmark = pytest.mark.usefixtures("switched_on", "taxonomy")


@pytest.fixture
def taxonomy(db: None) -> None:
    clear_taxonomy_cache()
    load_starter_taxonomy()


def _register(api: APIClient, **fields: Any) -> dict[str, Any]:
    facts = {"layer": "G", "category": "Pop", "subcategory": "Base", "description": "A song"}
    file = upload("song.wav", make_wav(), "audio/wav")
    answer = api.post("/api/assets", facts | fields | {"file": file}, format="multipart")
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]


def _read(api: APIClient, name: str) -> dict[str, Any]:
    return api.get(f"/api/assets/{name}").json()["data"]


def _data_uri(content: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()


def test_registration_responds_at_once_with_the_source_and_pending(editor_api: APIClient, server: SourceServer) -> None:
    url = server.url("/cover.jpg")
    made = _register(editor_api, albumArt=url)
    assert made["albumArt"] == url
    assert made["albumArtDetails"]["status"] == "pending"
    assert made["albumArtDetails"]["sourceUrl"] == url
    assert not server.requests


def test_stored_artwork_has_its_own_url_and_details(editor_api: APIClient, server: SourceServer) -> None:
    made = _register(editor_api, albumArt=server.url("/cover.jpg"))
    run(Artwork.objects.get())
    read = _read(editor_api, made["name"])
    details = read["albumArtDetails"]
    assert read["albumArt"] == details["url"] == details["variants"]["500"]
    assert read["albumArt"].startswith(settings.MEDIA_PUBLIC_URL + "album-art/")
    assert set(details["variants"]) == {"150", "500", "original"}
    assert details | {"url": 0, "variants": 0, "uploadedAt": 0, "size": 0, "blurhash": 0, "dominantColor": 0} == {
        "url": 0, "sourceUrl": server.url("/cover.jpg"), "source": "Web", "quality": "Medium", "uploadedAt": 0,
        "contentType": "image/jpeg", "size": 0, "status": "stored", "variants": 0, "width": 640, "height": 640,
        "dominantColor": 0, "blurhash": 0, "errorCode": None, "error": None,
    }  # fmt: skip
    for url in details["variants"].values():
        answer = Client().get(url.removeprefix("http://testserver"))
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert _read(editor_api, made["name"])["updatedAt"] == made["updatedAt"]


def test_a_failed_request_keeps_the_source_and_has_a_reason(editor_api: APIClient, server: SourceServer) -> None:
    made = _register(editor_api, albumArt=server.url("/nothing.jpg"))
    run(Artwork.objects.get())
    read = _read(editor_api, made["name"])
    assert read["albumArt"] == server.url("/nothing.jpg")
    details = read["albumArtDetails"]
    assert (details["status"], details["errorCode"]) == ("failed", "source_absent")
    assert "no such" in details["error"] or details["error"]


def test_a_data_uri_is_manual(editor_api: APIClient) -> None:
    made = _register(editor_api, albumArt=_data_uri(make_cover()))
    assert made["albumArtDetails"]["source"] == "Manual"
    run(Artwork.objects.get())
    read = _read(editor_api, made["name"])
    assert read["albumArt"].startswith(settings.MEDIA_PUBLIC_URL)
    assert Asset.objects.get().album_art is None
    assert not ArtworkContent.objects.exists()


def test_a_data_uri_of_two_mebibytes_passes_in_an_edit(editor_api: APIClient) -> None:
    song = make_song()
    picture = make_cover(1400, form="PNG", compress_level=0)[: 2 * 1024 * 1024 - 100]
    answer = editor_api.put(f"/api/assets/{song.name}", {"albumArt": _data_uri(picture)}, format="json")
    assert answer.status_code == 200
    assert answer.json()["data"]["albumArtDetails"]["status"] == "pending"


def test_a_rejected_data_uri_is_not_shown(editor_api: APIClient) -> None:
    made = _register(editor_api, albumArt=_data_uri(b"<html><script>"))
    run(Artwork.objects.get())
    assert _read(editor_api, made["name"])["albumArt"] is None


def test_an_object_with_a_source_url_is_accepted(editor_api: APIClient, server: SourceServer) -> None:
    _register(editor_api, albumArt=f'{{"sourceUrl": "{server.url("/cover.jpg")}", "quality": "high"}}')
    assert Artwork.objects.get().source_url == server.url("/cover.jpg")


def test_an_unchanged_edit_form_changes_nothing(editor_api: APIClient, server: SourceServer) -> None:
    made = _register(editor_api, albumArt=server.url("/cover.jpg"))
    artwork = run(Artwork.objects.get())
    for same in (_read(editor_api, made["name"])["albumArt"], server.url("/cover.jpg")):
        answer = editor_api.put(f"/api/assets/{made['name']}", {"albumArt": same, "description": "new"}, format="json")
        assert answer.json()["data"]["albumArtDetails"]["status"] == "stored"
    assert Artwork.objects.get() == artwork
    assert Asset.objects.get().album_art == server.url("/cover.jpg")


def test_a_new_url_is_pending_and_an_empty_one_removes_the_artwork(editor_api: APIClient, server: SourceServer) -> None:
    made = _register(editor_api, albumArt=server.url("/cover.jpg"))
    run(Artwork.objects.get())
    server.serve("/other.jpg", make_cover(700, color="maroon"))
    url = f"/api/assets/{made['name']}"
    changed = editor_api.put(url, {"albumArt": server.url("/other.jpg")}, format="json").json()["data"]
    assert (changed["albumArt"], changed["albumArtDetails"]["status"]) == (server.url("/other.jpg"), "pending")
    run(Artwork.objects.current().get())
    assert _read(editor_api, made["name"])["albumArtDetails"]["width"] == 700
    cleared = editor_api.put(url, {"albumArt": ""}, format="json").json()["data"]
    assert (cleared["albumArt"], cleared["albumArtDetails"]) == (None, None)


def test_other_layers_only_store_the_value(editor_api: APIClient) -> None:
    look = make_asset("L.CAS.ATL")
    answer = editor_api.put(f"/api/assets/{look.name}", {"albumArt": "https://a.example/x.jpg"}, format="json")
    assert answer.json()["data"]["albumArt"] == "https://a.example/x.jpg"
    assert answer.json()["data"]["albumArtDetails"] is None
    assert not Artwork.objects.exists()


def test_values_are_stored_and_hidden_while_the_flag_is_off(editor_api: APIClient, server: SourceServer) -> None:
    with set_flags():
        made = _register(editor_api, albumArt=server.url("/cover.jpg"))
        assert "albumArt" not in made
        assert "albumArtDetails" not in made
    assert Artwork.objects.get().source_url == server.url("/cover.jpg")


def test_an_error_of_a_data_uri_names_the_field(editor_api: APIClient) -> None:
    facts = {"layer": "G", "category": "Pop", "subcategory": "Base", "description": "A song"}
    facts |= {"albumArt": "data:image/jpeg;base64,AAA", "file": upload("song.wav", make_wav(), "audio/wav")}
    answer = editor_api.post("/api/assets", facts, format="multipart")
    assert answer.status_code == 400
    assert "albumArt" in answer.json()["error"]["details"]["errors"]
    assert not Asset.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_artworks(
    editor_api: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_stored(asset=make_song())
    editor_api.get("/api/assets?layer=G&limit=50")
    with CaptureQueriesContext(connection) as few:
        editor_api.get("/api/assets?layer=G&limit=50")
    for _ in range(20):
        make_stored(asset=make_song())
    with django_assert_num_queries(len(few)):
        page = editor_api.get("/api/assets?layer=G&limit=50").json()["data"]["items"]
    assert all(item["albumArtDetails"]["status"] == "stored" for item in page)
