"""Image bytes sent as a data URI: where they are stored, and what rows and histories keep of them."""

import base64
import importlib
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from rest_framework.test import APIClient

from albumart.models import Artwork, ArtworkContent
from assets.models import Asset
from taxonomy.snapshot_cache import clear_taxonomy_cache
from tests.albumart.conftest import run
from tests.factories.albumart import make_song
from tests.factories.assets import make_asset
from tests.factories.taxonomy import load_starter_taxonomy
from tests.support.media import make_wav, upload
from tests.support.sample_images import make_cover

pytestmark = pytest.mark.usefixtures("switched_on", "starter_taxonomy")
HTML = b"<html><script>"


@pytest.fixture
def starter_taxonomy(db: None) -> None:
    clear_taxonomy_cache()
    load_starter_taxonomy()


def data_uri(content: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()


def put(api: APIClient, asset: Asset, **fields: Any) -> dict[str, Any]:
    response = api.put(f"/api/assets/{asset.name}", fields, format="json")
    assert response.status_code == 200, response.content
    return response.json()["data"]


def kept_album_art(asset: Asset) -> set[str | None]:
    """Return the values of `album_art` in the row and in all its history rows."""
    return {Asset.objects.get(pk=asset.pk).album_art, *asset.history.values_list("album_art", flat=True)}


def test_the_bytes_are_in_the_artwork_and_nowhere_else_while_it_is_pending(editor_api: APIClient) -> None:
    song, image = make_song(), make_cover()
    data = put(editor_api, song, albumArt=data_uri(image))
    assert (data["albumArt"], data["albumArtDetails"]["status"]) == (None, "pending")
    assert bytes(ArtworkContent.objects.get().content) == image
    assert kept_album_art(song) == {None}


@pytest.mark.parametrize(
    ("content", "status"),
    [(make_cover(), Artwork.Status.STORED), (HTML, Artwork.Status.REFUSED)],
    ids=["stored", "bad"],
)
def test_nothing_stays_in_row_and_history_after_the_pipeline(
    editor_api: APIClient, content: bytes, status: str
) -> None:
    song = make_song()
    put(editor_api, song, albumArt=data_uri(content))
    assert run(Artwork.objects.get()).status == status
    assert kept_album_art(song) == {None}


def test_nothing_stays_in_row_and_history_after_the_last_attempt_failed(editor_api: APIClient) -> None:
    song = make_song()
    put(editor_api, song, albumArt=data_uri(make_cover()))
    Artwork.objects.get().finish(Artwork.Status.FAILED, Artwork.objects.get().requested_at, code="unavailable")
    assert kept_album_art(song) == {None}
    data = editor_api.get(f"/api/assets/{song.name}").json()["data"]
    assert (data["albumArt"], data["albumArtDetails"]["status"]) == (None, "failed")


def test_registration_stores_the_bytes_with_the_asset(editor_api: APIClient) -> None:
    form = {"layer": "G", "category": "Pop", "subcategory": "Base", "description": "A song"}
    form |= {"albumArt": data_uri(make_cover()), "file": upload("song.wav", make_wav(), "audio/wav")}
    assert editor_api.post("/api/assets", form, format="multipart").status_code == 201
    assert kept_album_art(Asset.objects.get()) == {None}
    assert ArtworkContent.objects.count() == 1


def test_a_form_that_sends_back_the_null_of_a_pending_upload_keeps_it(editor_api: APIClient) -> None:
    song = make_song()
    put(editor_api, song, albumArt=data_uri(make_cover()))
    data = put(editor_api, song, albumArt=None, description="new")
    assert data["albumArtDetails"]["status"] == "pending"
    run(Artwork.objects.get())
    assert put(editor_api, song, albumArt=None)["albumArtDetails"] is None


def test_other_layers_keep_the_data_uri_in_the_row_but_not_in_the_history(editor_api: APIClient) -> None:
    look, uri = make_asset("L.CAS.ATL"), data_uri(make_cover())
    assert put(editor_api, look, albumArt=uri)["albumArt"] == uri
    assert set(look.history.values_list("album_art", flat=True)) == {None}
    put(editor_api, look, albumArt="https://art.example/a.jpg")
    assert look.history.latest().album_art == "https://art.example/a.jpg"


def test_the_migration_removes_bytes_that_earlier_versions_left(editor_api: APIClient) -> None:
    uploaded, imported, look = make_song(), make_song(), make_asset("L.CAS.ATL")
    put(editor_api, uploaded, albumArt=data_uri(make_cover()))
    put(editor_api, look, albumArt="https://art.example/a.jpg")
    uri = data_uri(HTML)
    Asset.objects.update(album_art=uri)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE assets_historicalasset SET album_art = %s WHERE id = %s", [uri, uploaded.pk])
    importlib.import_module("assets.migrations.0010_remove_image_bytes").remove_data_uris(apps, None)
    assert kept_album_art(uploaded) == {None}
    assert {Asset.objects.get(pk=asset.pk).album_art for asset in (imported, look)} == {uri}
    assert look.history.latest().album_art == "https://art.example/a.jpg"
