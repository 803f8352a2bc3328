import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from taxonomy.models import Category, Layer, Subcategory, TaxonomyVersion
from tests.factories.taxonomy import make_node

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
TREE = reverse("admin:taxonomy_tree")
LISTS = [f"admin:taxonomy_{model}_changelist" for model in ("layer", "category", "subcategory", "taxonomyversion")]


@pytest.fixture
def staff(admin_user):
    client = Client()
    client.force_login(admin_user)
    return client


@pytest.fixture
def athleisure():
    return Subcategory.objects.select_related("category__layer").get(category__code="CAS", code="ATL")


def page_of(node, kind="change"):
    return reverse(f"admin:taxonomy_{type(node).__name__.lower()}_{kind}", args=[node.pk])


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def test_tree_shows_asset_counts_that_link_to_the_assets(staff, starter, use_node):
    node = starter.resolve("L", "CAS", "ATL")
    use_node(node)
    text = staff.get(TREE).content.decode()
    assert "L.CAS.ATL" in text
    assert f'href="/admin/assets/asset/?taxonomy_node__id__exact={node.pk}" title="Show these assets">1<' in text
    assert staff.get(f"/admin/assets/asset/?taxonomy_node__id__exact={node.pk}").status_code == 200


def test_tree_search_filters_nodes(staff):
    text = staff.get(TREE, {"q": "athleis"}).content.decode()
    assert "L.CAS.ATL" in text
    assert "G.POP" not in text
    assert "matches “&lt;b&gt;”" in staff.get(TREE, {"q": "<b>"}).content.decode()
    assert staff.get(TREE, {"q": "\x00" * 500, "open": "x"}).status_code == 200


@pytest.mark.parametrize("url", [TREE, *map(reverse, LISTS)])
def test_query_count_does_not_grow_with_the_taxonomy(staff, use_node, url):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert staff.get(url).status_code == 200
        return len(captured)

    queries()
    before = queries()
    for number in range(12):
        use_node(make_node("L", f"Q{number:02d}", "QQQ"))
    assert queries() == before
    assert before <= 10


def test_saving_a_node_creates_a_version(staff, athleisure, admin_user):
    data = {"code": "atx", "number": 9, "name": "Athletic", "description": "Words"}
    assert staff.post(page_of(athleisure), data).status_code == 302
    athleisure.refresh_from_db()
    assert (athleisure.code, athleisure.number, athleisure.name) == ("ATX", 9, "Athletic")
    version = TaxonomyVersion.objects.current()
    assert (version.label, version.created_by) == ("1.0.1", admin_user)


def test_adding_nodes_creates_versions(staff, athleisure):
    data = {"category": athleisure.category_id, "code": "new", "number": 77, "name": "Brand_New"}
    response = staff.post(reverse("admin:taxonomy_subcategory_add"), data)
    assert response.status_code == 302
    assert Subcategory.objects.get(code="NEW").category_id == athleisure.category_id
    response = staff.post(reverse("admin:taxonomy_category_add"), data | {"layer": athleisure.category.layer_id})
    assert Category.objects.get(code="NEW").number == 77
    assert TaxonomyVersion.objects.count() == 3


@pytest.mark.parametrize(
    "data",
    [
        {"code": "ATL", "number": 77, "name": "New"},
        {"code": "NEW", "number": 2, "name": "New"},
        {"code": "NEW", "number": 77, "name": "athleisure"},
        {"code": "LONG", "number": 77, "name": "New"},
        {"code": "777", "number": 77, "name": "New"},
        {"code": "NEW", "number": 1000, "name": "New"},
        {"code": "NEW", "number": -1, "name": "New"},
        {"code": "NEW", "number": 77, "name": "nul\x00"},
        {"code": "", "number": "", "name": ""},
    ],
)
def test_invalid_input_shows_errors_and_changes_nothing(staff, athleisure, data):
    url = reverse("admin:taxonomy_subcategory_add")
    response = staff.post(url, data | {"category": athleisure.category_id}, follow=True)
    assert response.status_code == 200
    form = response.context.get("adminform")
    assert messages_of(response) or form.form.errors
    assert TaxonomyVersion.objects.count() == 1


def test_editing_or_deleting_a_node_in_use_shows_the_asset_count(staff, starter, athleisure, use_node):
    use_node(starter.node(athleisure.pk))
    changed = staff.post(page_of(athleisure), {"code": "ATL", "number": 2, "name": "Renamed"}, follow=True)
    message = "L.CAS.ATL is used by 1 asset and keeps its code, number and name"
    assert changed.context["adminform"].form.errors == {"name": [message]}
    deleted = staff.post(page_of(athleisure, "delete"), {"post": "yes"}, follow=True)
    assert messages_of(deleted) == ["L.CAS.ATL is used by 1 asset and cannot be removed"]
    assert TaxonomyVersion.objects.count() == 1


def test_deletes_an_unused_node(staff, athleisure):
    assert staff.get(page_of(athleisure, "delete")).status_code == 200
    assert staff.post(page_of(athleisure, "delete"), {"post": "yes"}).status_code == 302
    assert not Subcategory.objects.filter(pk=athleisure.pk).exists()
    assert TaxonomyVersion.objects.current().label == "1.0.1"


def test_only_the_name_of_a_layer_is_editable(staff):
    layer = Layer.objects.get(code="L")
    assert staff.post(page_of(layer), {"name": "Styles", "code": "X", "number": 9}).status_code == 302
    layer.refresh_from_db()
    assert (layer.code, layer.number, layer.name) == ("L", 3, "Styles")
    assert staff.get(reverse("admin:taxonomy_layer_add")).status_code == 403
    assert staff.post(page_of(layer, "delete"), {"post": "yes"}).status_code == 403


def test_versions_are_read_only(staff):
    version = TaxonomyVersion.objects.current()
    page = staff.get(page_of(version))
    assert page.status_code == 200
    assert "added <strong>L.CAS.ATL</strong>" in page.content.decode()
    assert staff.post(page_of(version), {"label": "9.9.9"}).status_code == 403
    assert staff.get(reverse("admin:taxonomy_taxonomyversion_add")).status_code == 403


def listed(client, model, **query):
    response = client.get(reverse(f"admin:taxonomy_{model}_changelist"), query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def test_lists_search_by_code_and_name(staff):
    assert {str(row) for row in listed(staff, "category", q="casual")} == {"L.CAS Casual"}
    assert {str(row) for row in listed(staff, "subcategory", q="athleis")} == {"L.CAS.ATL Athleisure"}
    assert listed(staff, "subcategory", q="nonsense") == []


def test_lists_sort_by_column(staff):
    assert [layer.code for layer in listed(staff, "layer", o="0")] == sorted("GSLMWBPTCR")
    assert [layer.number for layer in listed(staff, "layer", o="-1")] == list(range(10, 0, -1))
    numbers = [category.number for category in listed(staff, "category", o="-1.0")]
    assert numbers == sorted(numbers, reverse=True)


def test_lists_filter(staff):
    layer = Layer.objects.get(code="L")
    assert {category.layer for category in listed(staff, "category", layer__id__exact=layer.pk)} == {layer}
    assert [version.label for version in listed(staff, "taxonomyversion", origin__exact="import")] == ["1.0.0"]
    assert listed(staff, "taxonomyversion", origin__exact="edit") == []


def test_lists_link_to_the_tree(staff):
    response = staff.get(reverse("admin:taxonomy_layer_changelist"))
    assert "Show as a tree" in response.content.decode()
    assert staff.get(reverse("admin:taxonomy_layer_open_tree")).headers["Location"] == TREE


def test_autocomplete_finds_categories(staff):
    query = {"term": "cas", "app_label": "taxonomy", "model_name": "subcategory", "field_name": "category"}
    results = staff.get(reverse("admin:autocomplete"), query).json()["results"]
    assert "L.CAS Casual" in [entry["text"] for entry in results]


def test_user_with_view_permission_sees_the_tree_and_cannot_edit(athleisure):
    reader = get_user_model().objects.create_user("reader@example.com", is_staff=True)
    client = Client()
    client.force_login(reader)
    assert client.get(TREE).status_code == 403
    reader.user_permissions.set(Permission.objects.filter(codename__in=["view_layer", "view_subcategory"]))
    text = client.get(TREE).content.decode()
    assert "L.CAS.ATL" in text
    assert "Add subcategory" not in text
    assert client.post(page_of(athleisure), {"code": "ATX", "number": 2, "name": "x"}).status_code == 403
    assert Client().get(TREE).status_code == 302
