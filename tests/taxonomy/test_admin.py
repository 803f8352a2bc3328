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


def messages_of(answer):
    return [str(message) for message in answer.context["messages"]]


def test_the_tree_counts_assets_and_leads_to_them(staff, starter, use_node):
    node = starter.resolve("L", "CAS", "ATL")
    use_node(node)
    text = staff.get(TREE).content.decode()
    assert "L.CAS.ATL" in text
    assert f'href="/admin/assets/asset/?taxonomy_node__id__exact={node.pk}" title="Show these assets">1<' in text
    assert staff.get(f"/admin/assets/asset/?taxonomy_node__id__exact={node.pk}").status_code == 200


def test_the_tree_is_searched(staff):
    text = staff.get(TREE, {"q": "athleis"}).content.decode()
    assert "L.CAS.ATL" in text
    assert "G.POP" not in text
    assert "matches “&lt;b&gt;”" in staff.get(TREE, {"q": "<b>"}).content.decode()
    assert staff.get(TREE, {"q": "\x00" * 500, "open": "x"}).status_code == 200


@pytest.mark.parametrize("url", [TREE, *map(reverse, LISTS)])
def test_query_counts_do_not_grow_with_the_taxonomy(staff, use_node, url):
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


def test_an_edit_in_the_admin_is_a_version(staff, athleisure, admin_user):
    wish = {"code": "atx", "number": 9, "name": "Athletic", "description": "Words"}
    assert staff.post(page_of(athleisure), wish).status_code == 302
    athleisure.refresh_from_db()
    assert (athleisure.code, athleisure.number, athleisure.name) == ("ATX", 9, "Athletic")
    version = TaxonomyVersion.objects.current()
    assert (version.label, version.created_by) == ("1.0.1", admin_user)


def test_a_node_is_added_in_the_admin(staff, athleisure):
    wish = {"category": athleisure.category_id, "code": "new", "number": 77, "name": "Brand_New"}
    answer = staff.post(reverse("admin:taxonomy_subcategory_add"), wish)
    assert answer.status_code == 302
    assert Subcategory.objects.get(code="NEW").category_id == athleisure.category_id
    answer = staff.post(reverse("admin:taxonomy_category_add"), wish | {"layer": athleisure.category.layer_id})
    assert Category.objects.get(code="NEW").number == 77
    assert TaxonomyVersion.objects.count() == 3


@pytest.mark.parametrize(
    "wish",
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
def test_a_bad_wish_is_told_on_the_page_and_changes_nothing(staff, athleisure, wish):
    url = reverse("admin:taxonomy_subcategory_add")
    answer = staff.post(url, wish | {"category": athleisure.category_id}, follow=True)
    assert answer.status_code == 200
    form = answer.context.get("adminform")
    assert messages_of(answer) or form.form.errors
    assert TaxonomyVersion.objects.count() == 1


def test_a_node_in_use_is_refused_with_its_count(staff, starter, athleisure, use_node):
    use_node(starter.node(athleisure.pk))
    changed = staff.post(page_of(athleisure), {"code": "ATL", "number": 2, "name": "Renamed"}, follow=True)
    words = "L.CAS.ATL is used by 1 asset and keeps its code, number and name"
    assert changed.context["adminform"].form.errors == {"name": [words]}
    deleted = staff.post(page_of(athleisure, "delete"), {"post": "yes"}, follow=True)
    assert messages_of(deleted) == ["L.CAS.ATL is used by 1 asset and cannot be removed"]
    assert TaxonomyVersion.objects.count() == 1


def test_an_unused_node_is_deleted(staff, athleisure):
    assert staff.get(page_of(athleisure, "delete")).status_code == 200
    assert staff.post(page_of(athleisure, "delete"), {"post": "yes"}).status_code == 302
    assert not Subcategory.objects.filter(pk=athleisure.pk).exists()
    assert TaxonomyVersion.objects.current().label == "1.0.1"


def test_of_a_layer_only_the_name_can_be_changed(staff):
    layer = Layer.objects.get(code="L")
    assert staff.post(page_of(layer), {"name": "Styles", "code": "X", "number": 9}).status_code == 302
    layer.refresh_from_db()
    assert (layer.code, layer.number, layer.name) == ("L", 3, "Styles")
    assert staff.get(reverse("admin:taxonomy_layer_add")).status_code == 403
    assert staff.post(page_of(layer, "delete"), {"post": "yes"}).status_code == 403


def test_versions_are_for_looking_at(staff):
    version = TaxonomyVersion.objects.current()
    page = staff.get(page_of(version))
    assert page.status_code == 200
    assert "added <strong>L.CAS.ATL</strong>" in page.content.decode()
    assert staff.post(page_of(version), {"label": "9.9.9"}).status_code == 403
    assert staff.get(reverse("admin:taxonomy_taxonomyversion_add")).status_code == 403


@pytest.mark.parametrize("model", ["layer", "category", "subcategory", "taxonomyversion"])
def test_lists_search_sort_and_filter(staff, model):
    url = reverse(f"admin:taxonomy_{model}_changelist")
    for query in ({}, {"q": "pop"}, {"o": "1"}, {"o": "-2.3"}, {"p": "1"}):
        assert staff.get(url, query).status_code == 200


def test_the_lists_lead_to_the_tree(staff):
    answer = staff.get(reverse("admin:taxonomy_layer_changelist"))
    assert "Show as a tree" in answer.content.decode()
    assert staff.get(reverse("admin:taxonomy_layer_open_tree")).headers["Location"] == TREE


def test_categories_are_found_by_typing(staff):
    query = {"term": "cas", "app_label": "taxonomy", "model_name": "subcategory", "field_name": "category"}
    results = staff.get(reverse("admin:autocomplete"), query).json()["results"]
    assert "L.CAS Casual" in [entry["text"] for entry in results]


def test_who_may_only_look_sees_the_tree_and_edits_nothing(athleisure):
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
