import pytest
from django.utils import timezone

from taxonomy.models import Category
from taxonomy.sync import import_document
from tests.factories.taxonomy import small_document

pytestmark = pytest.mark.django_db
BASE = "/api/taxonomy/"
CACHED = [
    "version",
    "index",
    "tree",
    "layers",
    "sync",
    "layer-count",
    "layers/L/categories",
    "layers/L/category-count",
    "layers/L/subcategory-counts",
    "layers/L/categories/CAS/subcategories",
    "layers/L/categories/CAS/subcategory-count",
    "lookup/L",
    "lookup/L/categories",
    "lookup/L/categories/CAS/subcategories",
]


def get(api, path, **options):
    response = api.get(BASE + path, **options)
    assert response.status_code == 200, response.content
    return response.json()


def test_responses_have_no_envelope_and_the_same_version(api):
    versions = {get(api, path)["version"] for path in ("health", "version", "index", "sync", "sync/incremental")}
    assert versions == {"1.0.0"}
    assert "success" not in get(api, "index")


def test_health_is_healthy_and_not_cached(api):
    response = api.get(BASE + "health")
    body = response.json()
    assert response["Cache-Control"] == "no-store"
    assert (body["status"], body["totalLayers"]) == ("healthy", 10)
    assert body["checks"] == {"taxonomyData": "ok", "layerLookups": "ok", "subcategoryData": "ok"}
    assert body["services"]["database"]["status"] == "ok"


def test_version(api):
    body = get(api, "version")
    assert (body["version"], body["status"], len(body["checksum"])) == ("1.0.0", "active", 64)
    assert body["lastUpdated"].endswith("Z")


def test_index_satisfies_both_parsers(api):
    body = get(api, "index")
    assert (body["totalLayers"], body["source"], list(body["layers"])) == (10, "backend", list("GSLMWBPTCR"))
    looks = body["layers"]["L"]
    assert looks["totalCategories"] == len(looks["categories"])
    assert looks["totalSubcategories"] == sum(c["subcategoryCount"] for c in looks["categories"].values())
    for category in looks["categories"].values():
        assert category["subcategoryCount"] == len(category["subcategories"])
    assert looks["categories"]["CAS"]["subcategories"]["ATL"] == "Athleisure"


def test_layers_are_a_map_from_code_to_name(api):
    body = get(api, "layers")
    assert (body["G"], body["C"], len(body)) == ("Songs", "Composites", 10)


def test_categories_and_subcategories_of_a_path(api):
    categories = get(api, "layers/l/categories")
    assert categories["layer"] == "L"
    assert categories["categories"][0] == {"code": "CAS", "name": "Casual", "numericCode": "001"}
    assert categories["count"] == len(categories["categories"]) == get(api, "layers/L/category-count")["count"]
    subcategories = get(api, "layers/L/categories/Casual/subcategories")
    assert (subcategories["layer"], subcategories["category"]) == ("L", "CAS")
    assert subcategories["subcategories"][1] == {"code": "CAS.ATL", "name": "Athleisure", "numericCode": "002"}
    count = get(api, "layers/L/categories/CAS/subcategory-count")
    assert count == {"layer": "L", "category": "CAS", "count": subcategories["count"]}


def test_lookup_urls_equal_layers_urls(api):
    assert get(api, "lookup/L") == get(api, "lookup/L/categories") == get(api, "layers/L/categories")
    path = "L/categories/CAS/subcategories"
    assert get(api, f"lookup/{path}") == get(api, f"layers/{path}")


def test_counts(api):
    assert get(api, "layer-count") == {"count": 10, "layers": list("GSLMWBPTCR")}
    body = get(api, "layers/L/subcategory-counts")
    assert body["totalCategories"] == len(body["counts"])
    assert body["totalSubcategories"] == sum(entry["count"] for entry in body["counts"])
    assert body["counts"][0]["category"] == "CAS"


def test_tree_and_sync_contain_all_nodes(api):
    tree = get(api, "tree")
    assert tree["L"]["numericCode"] == "3"
    assert tree["L"]["categories"]["CAS"]["subcategories"]["ATL"] == {
        "name": "Athleisure",
        "numericCode": "002",
        "description": "",
    }
    sync = get(api, "sync")
    assert sync["data"] == tree
    assert sync["metadata"]["layerCount"] == 10
    assert sync["metadata"]["totalItems"] == get(api, "version")["totalNodes"]


@pytest.mark.parametrize("path", CACHED)
def test_an_unchanged_response_is_304_without_a_body(api, path):
    first = api.get(BASE + path)
    etag = first["ETag"]
    assert etag.startswith('"')
    assert first["Cache-Control"] == "public, max-age=0, must-revalidate"
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = api.get(BASE + path, HTTP_IF_NONE_MATCH=known)
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert api.get(BASE + path, HTTP_IF_NONE_MATCH='"other"').status_code == 200
    import_document(small_document(version="2.0.0"), by=None, now=timezone.now())
    if "CAS" not in path:
        assert api.get(BASE + path, HTTP_IF_NONE_MATCH=etag).status_code == 200


@pytest.mark.parametrize("path", CACHED)
def test_a_cached_response_costs_one_query_and_needs_no_token(api, path, django_assert_num_queries):
    api.get(BASE + path)
    with django_assert_num_queries(1):
        assert api.get(BASE + path, HTTP_AUTHORIZATION="Bearer nonsense").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "layers/Z/categories",
        "layers/LL/categories",
        "layers/L/categories/ZZZ/subcategories",
        "lookup/Z",
        "layers/Z/category-count",
        "layers/Z/subcategory-counts",
        "layers/L/categories/%00/subcategories",
        "layers/%ED%A0%80/categories",
        "categories/POP",
        "layers/L/categories/CAS/subcategories/ATL",
        "nothing",
    ],
)
def test_an_unknown_path_is_404_in_the_error_envelope(api, path):
    etag = api.get(BASE + "layers")["ETag"]
    response = api.get(BASE + path, HTTP_IF_NONE_MATCH=etag)
    assert response.status_code == 404
    body = response.json()
    assert (body["success"], body["statusCode"], bool(body["message"])) == (False, 404, True)


def test_trailing_slashes_and_unknown_parameters_are_ignored(api):
    assert api.get(BASE + "layers/").status_code == 200
    assert api.get(BASE + "layers?_t=1&format=xml&_fresh=true").status_code == 200


def test_incremental_lists_changes_since_a_known_version(api):
    before = Category.objects.count()
    import_document(small_document(version="2.0.0"), by=None, now=timezone.now())
    body = get(api, "sync/incremental?since=1.0.0")
    assert (body["version"], body["metadata"]["isKnown"]) == ("2.0.0", True)
    removed = [c for c in body["changes"] if c["type"] == "removed" and c["category"] and not c["subcategory"]]
    assert len(removed) == before
    assert {"type": "added", "layer": "L", "category": "BAS", "subcategory": "ONE"} in body["changes"]
    assert get(api, "sync/incremental?since=2.0.0")["changes"] == []


@pytest.mark.parametrize(
    "since", ["", "?since=", "?since=1.2.2", "?since=%00", "?since=%ED%A0%80", "?since=" + "9" * 900]
)
def test_incremental_lists_all_nodes_since_an_unknown_version(api, since):
    body = get(api, "sync/incremental" + since)
    assert body["metadata"]["isKnown"] is False
    assert {change["type"] for change in body["changes"]} == {"added"}
    assert len(body["changes"]) == get(api, "version")["totalNodes"]


def test_sync_status(api):
    body = get(api, "sync/status")
    assert (body["syncStatus"], body["cacheStatus"], body["healthCheck"]) == ("synced", "ok", "healthy")


def test_health_is_unhealthy_without_a_taxonomy(client, db):
    body = client.get(BASE + "health").json()
    assert (body["status"], body["version"], body["totalLayers"]) == ("unhealthy", "0.0.0", 0)
    assert client.get(BASE + "index").json()["layers"] == {}
    assert client.get(BASE + "sync/incremental").json()["changes"] == []


def test_cors_allows_the_origin_of_the_legacy_frontend(api):
    origin = "https://nna-registry-frontend-dev.vercel.app"
    response = api.get(BASE + "index", HTTP_ORIGIN=origin)
    assert response["Access-Control-Allow-Origin"] == origin
