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


def verb_options(user=None):
    return {"by": user, "now": timezone.now()}


@pytest.fixture
def casual(starter):
    return Category.objects.get(layer__code="L", code="CAS")


@pytest.fixture
def athleisure(casual):
    return casual.subcategories.get(code="ATL")


def test_each_edit_is_a_version_with_its_author_and_its_change(casual, admin_user):
    node = create_node(casual, NEW, **verb_options(admin_user))
    version = TaxonomyVersion.objects.current()
    assert (version.label, version.created_by, version.origin) == ("1.0.1", admin_user, "edit")
    assert version.changes == [{"type": "added", "layer": "L", "category": "CAS", "subcategory": "NEW"}]
    update_node(node, NodeData("NEW", 78, "Brand_New"), **verb_options(admin_user))
    delete_node(node, **verb_options(admin_user))
    assert TaxonomyVersion.objects.current().label == "1.0.3"
    assert find_errors() == []


def test_a_category_is_added_under_its_layer(starter):
    create_node(Layer.objects.get(code="L"), NEW, **verb_options())
    assert current_taxonomy().resolve_layer("L").find("brand-new").code == "NEW"


def test_an_edit_that_changes_nothing_is_no_version(athleisure):
    result = update_node(athleisure, NodeData("atl", athleisure.number, athleisure.name), **verb_options())
    assert (result.is_changed, TaxonomyVersion.objects.count()) == (False, 1)


@pytest.mark.parametrize(
    ("wish", "field"),
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
def test_a_wish_of_wrong_shape_is_refused_at_its_field(casual, wish, field):
    with pytest.raises(InvalidInput) as caught:
        create_node(casual, wish, **verb_options())
    assert caught.value.field_errors[0].field == field


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (NodeData("ATL", 77, "New"), "code"),
        (NodeData("NEW", 2, "New"), "numericCode"),
        (NodeData("NEW", 77, "ATHLEISURE"), "name"),
        (NodeData("NEW", 77, "atl"), "name"),
    ],
)
def test_what_a_sibling_has_is_taken(casual, wish, field):
    with pytest.raises(DuplicateNode) as caught:
        create_node(casual, wish, **verb_options())
    assert caught.value.field_errors[0].field == field


def test_a_node_in_use_keeps_what_assets_repeat_but_not_its_description(starter, athleisure, use_node):
    use_node(starter.node(athleisure.pk))
    for wish in (NodeData("ATX", 2, "Athleisure"), NodeData("ATL", 9, "Athleisure"), NodeData("ATL", 2, "Sport")):
        with pytest.raises(NodeInUse, match=r"L\.CAS\.ATL is used by 1 asset"):
            update_node(athleisure, wish, **verb_options())
    with pytest.raises(NodeInUse):
        delete_node(athleisure, **verb_options())
    with pytest.raises(NodeInUse, match=r"L\.CAS is used by 1 asset"):
        update_node(athleisure.category, NodeData("CAS", 1, "Leisure"), **verb_options())
    assert update_node(athleisure, NodeData("ATL", 2, "Athleisure", "Words"), **verb_options()).is_changed


def test_a_category_with_subcategories_is_not_removed(casual):
    with pytest.raises(Conflict, match="still has subcategories"):
        delete_node(casual, **verb_options())


def test_a_node_an_alias_leads_to_is_not_removed(starter):
    lofi = Subcategory.objects.get(category__layer__code="G", category__code="HIP", code="LOF")
    with pytest.raises(InvalidDocument, match="fault"):
        delete_node(lofi, **verb_options())
    assert Subcategory.objects.filter(pk=lofi.pk).exists()


def test_a_node_somebody_removed_is_missing(athleisure):
    Subcategory.objects.filter(pk=athleisure.pk).delete()
    with pytest.raises(NodeNotFound):
        update_node(athleisure, NEW, **verb_options())


def test_a_layer_can_only_be_renamed(starter):
    layer = Layer.objects.get(code="L")
    update_node(layer, NodeData("X", 99, "Styles"), **verb_options())
    layer.refresh_from_db()
    assert (layer.code, layer.number, layer.name) == ("L", 3, "Styles")


@pytest.mark.django_db(transaction=True)
def test_of_eight_people_adding_the_same_code_at_once_one_succeeds():
    load_starter_taxonomy()
    casual = Category.objects.select_related("layer").get(layer__code="L", code="CAS")
    at_once = threading.Barrier(8)
    outcomes = []

    def work():
        try:
            at_once.wait()
            create_node(casual, NEW, **verb_options())
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
