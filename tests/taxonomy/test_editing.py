import threading

import pytest
from django.db import connections
from django.utils import timezone

from common.errors import Conflict, InvalidInput, RegistryError
from taxonomy.consistency import find_errors
from taxonomy.editing import NodeData, create_node, delete_node, update_node
from taxonomy.errors import DuplicateNode, InvalidDocument, NodeInUse, NodeNotFound
from taxonomy.models import Category, Layer, Subcategory, TaxonomyVersion
from taxonomy.snapshot_cache import current_taxonomy
from tests.factories.taxonomy import load_starter_taxonomy

pytestmark = pytest.mark.django_db
NEW = NodeData("NEW", 77, "Brand_New")


def audit_kwargs(user=None):
    return {"by": user, "now": timezone.now()}


@pytest.fixture
def casual(starter):
    return Category.objects.get(layer__code="L", code="CAS")


@pytest.fixture
def athleisure(casual):
    return casual.subcategories.get(code="ATL")


def test_each_edit_creates_a_version_with_author_and_changes(casual, admin_user):
    node = create_node(casual, NEW, **audit_kwargs(admin_user))
    version = TaxonomyVersion.objects.current()
    assert (version.label, version.created_by, version.origin) == ("1.0.1", admin_user, "edit")
    assert version.changes == [{"type": "added", "layer": "L", "category": "CAS", "subcategory": "NEW"}]
    update_node(node, NodeData("NEW", 78, "Brand_New"), **audit_kwargs(admin_user))
    delete_node(node, **audit_kwargs(admin_user))
    assert TaxonomyVersion.objects.current().label == "1.0.3"
    assert find_errors() == []


def test_creates_a_category_in_its_layer(starter):
    create_node(Layer.objects.get(code="L"), NEW, **audit_kwargs())
    assert current_taxonomy().resolve_layer("L").find("brand-new").code == "NEW"


def test_an_edit_without_changes_creates_no_version(athleisure):
    result = update_node(athleisure, NodeData("atl", athleisure.number, athleisure.name), **audit_kwargs())
    assert (result.is_changed, TaxonomyVersion.objects.count()) == (False, 1)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (NodeData("LONG", 77, "New"), "code"),
        (NodeData("777", 77, "New"), "code"),
        (NodeData("NEW", 0, "New"), "numericCode"),
        (NodeData("NEW", 1000, "New"), "numericCode"),
        (NodeData("NEW", 77, "  "), "name"),
        (NodeData("NEW", 77, "12"), "name"),
        (NodeData("NEW", 77, "x" * 101), "name"),
        (NodeData("NEW", 77, "nul\x00"), "name"),
        (NodeData("NEW", 77, "New", "x" * 501), "description"),
    ],
)
def test_rejects_invalid_values_with_the_field(casual, data, field):
    with pytest.raises(InvalidInput) as caught:
        create_node(casual, data, **audit_kwargs())
    assert caught.value.field_errors[0].field == field


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (NodeData("ATL", 77, "New"), "code"),
        (NodeData("NEW", 2, "New"), "numericCode"),
        (NodeData("NEW", 77, "ATHLEISURE"), "name"),
        (NodeData("NEW", 77, "atl"), "name"),
    ],
)
def test_rejects_code_number_and_name_of_a_sibling(casual, data, field):
    with pytest.raises(DuplicateNode) as caught:
        create_node(casual, data, **audit_kwargs())
    assert caught.value.field_errors[0].field == field


def test_only_the_description_of_a_node_in_use_can_change(starter, athleisure, use_node):
    use_node(starter.node(athleisure.pk))
    for data in (NodeData("ATX", 2, "Athleisure"), NodeData("ATL", 9, "Athleisure"), NodeData("ATL", 2, "Sport")):
        with pytest.raises(NodeInUse, match=r"L\.CAS\.ATL is used by 1 asset"):
            update_node(athleisure, data, **audit_kwargs())
    with pytest.raises(NodeInUse):
        delete_node(athleisure, **audit_kwargs())
    with pytest.raises(NodeInUse, match=r"L\.CAS is used by 1 asset"):
        update_node(athleisure.category, NodeData("CAS", 1, "Leisure"), **audit_kwargs())
    assert update_node(athleisure, NodeData("ATL", 2, "Athleisure", "Words"), **audit_kwargs()).is_changed


def test_rejects_deleting_a_category_with_subcategories(casual):
    with pytest.raises(Conflict, match="still has subcategories"):
        delete_node(casual, **audit_kwargs())


def test_rejects_deleting_the_node_of_an_alias(starter):
    lofi = Subcategory.objects.get(category__layer__code="G", category__code="HIP", code="LOF")
    with pytest.raises(InvalidDocument, match="fault"):
        delete_node(lofi, **audit_kwargs())
    assert Subcategory.objects.filter(pk=lofi.pk).exists()


def test_updating_a_deleted_node_raises_node_not_found(athleisure):
    Subcategory.objects.filter(pk=athleisure.pk).delete()
    with pytest.raises(NodeNotFound):
        update_node(athleisure, NEW, **audit_kwargs())


def test_updating_a_layer_changes_only_its_name(starter):
    layer = Layer.objects.get(code="L")
    update_node(layer, NodeData("X", 99, "Styles"), **audit_kwargs())
    layer.refresh_from_db()
    assert (layer.code, layer.number, layer.name) == ("L", 3, "Styles")


@pytest.mark.django_db(transaction=True)
def test_one_of_eight_concurrent_creations_of_a_code_succeeds():
    load_starter_taxonomy()
    casual = Category.objects.select_related("layer").get(layer__code="L", code="CAS")
    at_once = threading.Barrier(8)
    outcomes = []

    def work():
        try:
            at_once.wait()
            create_node(casual, NEW, **audit_kwargs())
            outcomes.append("added")
        except RegistryError as error:
            outcomes.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["added"] + ["duplicate_node"] * 7
