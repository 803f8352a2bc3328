"""Lists and details that a client has already are not sent again, and whatever changes them is noticed."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from assets.editing import delete_assets, edit_asset
from flags.models import FieldFlag
from flags.registry import CREATOR_DESCRIPTION
from taxonomy.models import Category, TaxonomyVersion
from taxonomy.snapshot_cache import current_taxonomy
from taxonomy.sync import apply_change
from tests.factories.assets import DAY_ONE, make_asset, make_assets
from tests.support.flag_states import set_flags

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]

LIST, DETAIL, METADATA = "/api/assets?limit=20", "/api/assets/L.CAS.ATL.001", "/api/assets/L.CAS.ATL.001/metadata"
PATHS = [LIST, DETAIL, METADATA]


def etag(api: APIClient, path: str) -> str:
    response = api.get(path)
    assert response.status_code == 200, response.content
    return response.headers["ETag"]


def status(api: APIClient, path: str, known: str) -> int:
    return api.get(path, headers={"If-None-Match": known}).status_code


@pytest.mark.parametrize("path", PATHS)
def test_an_unchanged_read_is_304_and_needs_no_more_queries(
    editor_api: APIClient, path: str, django_assert_num_queries: Any
) -> None:
    make_assets(3)
    known = etag(editor_api, path)
    with django_assert_num_queries(2 if path == LIST else 1):
        response = editor_api.get(path, headers={"If-None-Match": known})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == known
    assert {"Accept-Encoding", "Authorization", "X-API-Key"} <= set(response.headers["Vary"].split(", "))
    assert response.headers["X-Request-Id"]


@pytest.mark.parametrize("path", PATHS)
def test_an_edit_changes_the_etag(editor_api: APIClient, editor: Any, path: str) -> None:
    asset = make_asset()
    assert asset.name in DETAIL
    known = etag(editor_api, path)
    edit_asset(asset.pk, {"description": "Another text"}, by=editor, taxonomy=current_taxonomy(), now=timezone.now())
    assert status(editor_api, path, known) == 200
    assert status(editor_api, path, etag(editor_api, path)) == 304


@pytest.mark.parametrize("path", PATHS)
def test_a_flag_changes_the_etag_and_back(editor_api: APIClient, path: str) -> None:
    make_asset(creator_description="By the creator")
    known = etag(editor_api, path)
    with set_flags(CREATOR_DESCRIPTION):
        assert status(editor_api, path, known) == 200
    assert status(editor_api, path, known) == 304


def test_a_new_and_a_deleted_asset_change_the_etag_of_the_list(editor_api: APIClient, editor: Any) -> None:
    make_asset()
    one = etag(editor_api, LIST)
    second = make_asset()
    two = etag(editor_api, LIST)
    delete_assets([second.pk], by=editor, now=timezone.now(), reason="")
    assert one != two
    assert status(editor_api, LIST, one) == 304


def test_the_total_is_part_of_the_etag(editor_api: APIClient) -> None:
    make_assets(2)
    path = "/api/assets?limit=1"
    known = etag(editor_api, path)
    make_asset(created_at=DAY_ONE - timedelta(days=1))  # the oldest, so not on this page
    assert status(editor_api, path, known) == 200


def test_a_change_of_the_taxonomy_changes_the_etag(editor_api: APIClient) -> None:
    asset = make_asset()
    path = f"/api/assets?category={asset.category}"
    known = etag(editor_api, path)
    assert status(editor_api, path, known) == 304

    def rename(_: Any) -> None:
        Category.objects.filter(layer__code="L", code="CAS").update(name="Leisure")

    apply_change(rename, by=None, now=timezone.now(), origin=TaxonomyVersion.Origin.EDIT)
    response = editor_api.get(path, headers={"If-None-Match": known})
    assert response.status_code == 200
    assert response.json()["data"]["items"] == []


def test_callers_with_other_flags_or_another_dialect_have_other_etags(
    editor_api: APIClient, admin_api: APIClient, service_api: APIClient
) -> None:
    make_asset(creator_description="By the creator")
    FieldFlag.objects.filter(name=CREATOR_DESCRIPTION).update(everyone=None, staff=True)
    assert len({etag(caller, LIST) for caller in (editor_api, admin_api, service_api)}) == 3
    assert etag(editor_api, DETAIL) != etag(admin_api, DETAIL)
    assert status(admin_api, DETAIL, etag(editor_api, DETAIL)) == 200


def test_a_caller_without_credentials_learns_nothing_from_an_etag(editor_api: APIClient, api: APIClient) -> None:
    make_asset()
    for path in PATHS:
        response = api.get(path, headers={"If-None-Match": etag(editor_api, path)})
        assert response.status_code == 401
        assert "ETag" not in response.headers


@pytest.mark.parametrize("path", [LIST, "/api/assets/search?q=asset&limit=50"])
def test_a_list_is_compressed_for_clients_that_accept_it(service_api: APIClient, path: str) -> None:
    make_assets(20)
    plain = service_api.get(path)
    packed = service_api.get(path, headers={"Accept-Encoding": "gzip, deflate, br"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.content) < len(plain.content) / 3
    assert json.loads(gzip.decompress(packed.content))["data"] == plain.json()["data"]
    assert packed.headers["ETag"] == plain.headers["ETag"]


def test_a_batch_of_addresses_is_compressed_too(service_api: APIClient) -> None:
    addresses = [asset.nna_address for asset in make_assets(20)]
    response = service_api.post(
        "/api/assets/batch", {"addresses": addresses}, format="json", headers={"Accept-Encoding": "gzip"}
    )
    assert response.headers["Content-Encoding"] == "gzip"
    assert [row["nna_address"] for row in json.loads(gzip.decompress(response.content))["data"]] == addresses
    assert "ETag" not in response.headers


def test_errors_and_sign_in_are_never_compressed(editor_api: APIClient) -> None:
    """They may hold a token, or text of the request."""
    headers = {"Accept-Encoding": "gzip"}
    missing = editor_api.get("/api/assets/L.CAS.ATL.999?" + "x" * 5000, headers=headers)
    assert missing.status_code == 404
    credentials = {"email": "nobody@example.com", "password": "x" * 100}
    for response in (missing, editor_api.post("/api/auth/login", credentials, format="json", headers=headers)):
        assert "Content-Encoding" not in response.headers


def test_a_foreign_origin_may_read_the_etag(editor_api: APIClient, settings: Any) -> None:
    make_asset()
    origin = settings.CORS_ALLOWED_ORIGINS[0]
    known = etag(editor_api, DETAIL)
    response = editor_api.get(DETAIL, headers={"Origin": origin, "If-None-Match": known})
    assert response.status_code == 304
    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert "ETag" in response.headers["Access-Control-Expose-Headers"]
    assert "origin" in response.headers["Vary"].lower()
