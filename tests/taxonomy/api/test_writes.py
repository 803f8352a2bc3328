import json

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.tokens import issue_token
from taxonomy.models import Subcategory, TaxonomyVersion
from taxonomy.snapshot_cache import current_taxonomy
from taxonomy.sync import export_document
from tests.factories.taxonomy import small_document

pytestmark = pytest.mark.django_db
BASE = "/api/taxonomy/"
NODE = {"layer": "L", "category": "CAS", "subcategory": "NEW", "name": "Brand_New", "numericCode": "077"}
WRITES = [
    ("post", "nodes"),
    ("put", "nodes/subcategory-{pk}"),
    ("delete", "nodes/subcategory-{pk}"),
    ("post", "import"),
    ("get", "export"),
    ("get", "validate"),
    ("post", "cache/invalidate"),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_only_admins_have_access_and_nothing_is_written(starter, method, path):
    editor = APIClient()
    user = get_user_model().objects.create_user("editor@example.com")
    editor.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_token(user, timezone.now())}")
    path = path.format(pk=starter.resolve("L", "CAS", "ATL").pk)
    before = list(Subcategory.objects.order_by("pk").values())
    response = getattr(editor, method)(BASE + path, {}, format="json")
    assert (response.status_code, response.json()["message"]) == (403, "Admin access required")
    assert getattr(APIClient(), method)(BASE + path, {}, format="json").status_code == 401
    assert list(Subcategory.objects.order_by("pk").values()) == before
    assert TaxonomyVersion.objects.count() == 1
    assert current_taxonomy() is starter


def test_adding_changing_and_deleting_a_node_creates_a_version_each(admin_api, admin_user):
    made = admin_api.post(BASE + "nodes", NODE | {"description": "Words"}, format="json")
    assert made.status_code == 201
    data = made.json()["data"]
    assert data["created"] is True
    assert {key: data[key] for key in (*NODE, "description")} == NODE | {"description": "Words"}
    assert data["version"] == "1.0.1"
    changed = admin_api.put(BASE + f"nodes/{data['id']}", {"name": "Newer", "numericCode": 78}, format="json")
    assert changed.status_code == 200
    assert (changed.json()["data"]["name"], changed.json()["data"]["numericCode"]) == ("Newer", "078")
    assert changed.json()["data"]["description"] == "Words"
    removed = admin_api.delete(BASE + f"nodes/{data['id']}")
    assert (removed.status_code, removed.json()["data"]["version"]) == (200, "1.0.3")
    assert TaxonomyVersion.objects.filter(created_by=admin_user).count() == 3
    assert admin_api.get(BASE + "layers/L/categories/CAS/subcategories").json()["count"] == 4


def test_adds_a_category(admin_api):
    node = {"layer": "L", "category": "NEW", "name": "Brand_New", "numericCode": 77}
    data = admin_api.post(BASE + "nodes", node, format="json").json()["data"]
    assert (data["category"], data["numericCode"], data["id"].partition("-")[0]) == ("NEW", "077", "category")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"layer": "E"}, 400, "layer"),
        ({"layer": 5}, 400, "layer"),
        ({"layer": None}, 400, "layer"),
        ({"category": "Nope"}, 400, "category"),
        ({"subcategory": "LONG"}, 400, "code"),
        ({"subcategory": "ATL"}, 409, "code"),
        ({"numericCode": "002"}, 409, "numericCode"),
        ({"numericCode": "0777"}, 400, "numericCode"),
        ({"numericCode": "000"}, 400, "numericCode"),
        ({"numericCode": True}, 400, "numericCode"),
        ({"numericCode": [7]}, 400, "numericCode"),
        ({"numericCode": "٠٠٧"}, 400, "numericCode"),
        ({"name": "Athleisure"}, 409, "name"),
        ({"name": ""}, 400, "name"),
        ({"name": "x" * 101}, 400, "name"),
        ({"name": "nul\x00"}, 400, "name"),
        ({"name": "\u202eeslaf"}, 400, "name"),
        ({"description": "x" * 501}, 400, "description"),
        ({"color": "red"}, 400, "color"),
    ],
)
def test_invalid_values_are_rejected_with_the_field(admin_api, change, status, field):
    response = admin_api.post(BASE + "nodes", NODE | change, format="json")
    assert response.status_code == status, response.content
    assert field in response.json()["error"]["details"]["errors"]
    assert TaxonomyVersion.objects.count() == 1


@pytest.mark.parametrize(
    "node_id", ["1", "subcategory-", "subcategory-x", "layer-1", "subcategory-999999", "%00", "category-" + "9" * 40]
)
def test_an_unknown_id_is_404(admin_api, node_id):
    for response in (
        admin_api.put(BASE + f"nodes/{node_id}", {}, format="json"),
        admin_api.delete(BASE + f"nodes/{node_id}"),
    ):
        assert (response.status_code, response.json()["success"]) == (404, False)


def test_a_node_in_use_is_409_with_the_asset_count(admin_api, starter, use_node):
    node = starter.resolve("L", "CAS", "ATL")
    use_node(node)
    for response in (
        admin_api.put(BASE + f"nodes/subcategory-{node.pk}", {"name": "Sport"}, format="json"),
        admin_api.delete(BASE + f"nodes/subcategory-{node.pk}"),
        admin_api.delete(BASE + f"nodes/category-{node.category_pk}"),
        admin_api.post(BASE + "import", small_document(), format="json"),
    ):
        assert response.status_code == 409
        assert "1 asset" in response.json()["message"]


def test_imports_and_exports_a_document(admin_api):
    dry = admin_api.post(BASE + "import?dryRun=true", small_document(version="2.0.0"), format="json").json()["data"]
    assert (dry["changed"], dry["dryRun"], dry["added"] > 0, current_taxonomy().version) == (True, True, True, "1.0.0")
    done = admin_api.post(BASE + "import", small_document(version="2.0.0"), format="json").json()["data"]
    assert (done["version"], done["changed"]) == ("2.0.0", True)
    exported = admin_api.get(BASE + "export")
    assert exported.content == export_document()
    assert exported["Content-Disposition"] == 'attachment; filename="taxonomy-2.0.0.json"'
    again = admin_api.post(BASE + "import", json.loads(exported.content), format="json").json()["data"]
    assert (again["changed"], again["added"], again["version"]) == (False, 0, "2.0.0")


def test_all_errors_of_a_document_are_listed(admin_api):
    document = small_document(version=None)
    document["layers"][0]["categories"][0]["code"] = "x"
    response = admin_api.post(BASE + "import", document, format="json")
    assert response.status_code == 400
    assert set(response.json()["error"]["details"]["errors"]) == {"version", "layers[0].categories[0].code"}


@pytest.mark.parametrize("body", ["[]", "5", '"text"', "null", "{}", "nonsense", '{"layers": {}}'])
def test_importing_anything_else_is_400(admin_api, body):
    response = admin_api.generic("POST", BASE + "import", body, content_type="application/json")
    assert (response.status_code, response.json()["success"]) == (400, False)


def test_validate_reports_errors(admin_api):
    body = admin_api.get(BASE + "validate").json()
    assert (body["isValid"], body["errors"], body["warnings"]) == (True, [], [])
    Subcategory.objects.filter(code="ATL").update(name="Changed")
    assert admin_api.get(BASE + "validate").json()["isValid"] is False


def test_invalidate_clears_the_cache(admin_api):
    Subcategory.objects.filter(code="ATL").update(name="Changed")
    assert current_taxonomy().resolve("L", "CAS", "ATL").name == "Athleisure"
    response = admin_api.post(
        BASE + "cache/invalidate", {"scope": "layer", "layer": "L", "reason": "test"}, format="json"
    )
    assert (response.status_code, response.json()["data"]["invalidated"]) == (200, True)
    assert current_taxonomy().resolve("L", "CAS", "ATL").name == "Changed"
    bad = admin_api.post(BASE + "cache/invalidate", {"scope": ["all"]}, format="json")
    assert (bad.status_code, "scope" in bad.json()["message"]) == (400, True)
