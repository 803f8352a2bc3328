import copy
import json
import threading

import pytest
from django.db import connections
from django.utils import timezone

from taxonomy.errors import InvalidDocument, NodeInUse, TaxonomyNotLoaded
from taxonomy.models import Layer, Subcategory, TaxonomyVersion
from taxonomy.snapshot_cache import current_taxonomy
from taxonomy.sync import export_document, import_document, install_starter_taxonomy
from tests.factories.taxonomy import load_starter_taxonomy, small_document

pytestmark = pytest.mark.django_db


def run_import(document, **options):
    return import_document(document, by=None, now=timezone.now(), **options)


def category(document, index=0):
    return document["layers"][index]["categories"][0]


def test_starter_taxonomy_has_ten_layers_and_is_installed_once(starter):
    assert [layer.code for layer in starter.layers] == list("GSLMWBPTCR")
    assert starter.resolve("L", "Casual", "Athleisure").mfa(1) == "L.001.002.001"
    assert install_starter_taxonomy(now=timezone.now()) is None


def test_importing_the_current_digest_changes_nothing():
    first = run_import(small_document())
    again = run_import(small_document(version="5.0.0"))
    assert (first.is_changed, again.is_changed, again.version) == (True, False, "1.0.0")
    assert TaxonomyVersion.objects.count() == 1


def test_export_equals_the_imported_document_after_a_round_trip():
    run_import(small_document(aliases={"G.BAS.OLD": "G.BAS.ONE"}, deprecated=[{"code": "Ä"}]))
    exported = export_document()
    assert not run_import(json.loads(exported)).is_changed
    category_changed = copy.deepcopy(small_document())
    category(category_changed)["name"] = "Other"
    run_import(category_changed)
    run_import(json.loads(exported))
    assert json.loads(export_document()) == json.loads(exported) | {"version": "1.0.2"}


def test_export_without_a_taxonomy_raises():
    with pytest.raises(TaxonomyNotLoaded):
        export_document()


def test_order_of_siblings_does_not_matter():
    document = small_document()
    category(document)["subcategories"].append({"code": "TWO", "numeric": 2, "name": "Second"})
    run_import(document)
    turned = copy.deepcopy(document)
    category(turned)["subcategories"].reverse()
    turned["layers"].reverse()
    assert not run_import(turned).is_changed


def test_a_used_label_is_incremented():
    run_import(small_document())
    changed = small_document()
    category(changed)["name"] = "Other"
    result = run_import(changed)
    assert (result.version, result.changes) == (
        "1.0.1",
        [{"type": "modified", "layer": "G", "category": "BAS", "subcategory": ""}],
    )


def test_siblings_can_swap_names_and_numbers():
    document = small_document()
    subcategories = category(document)["subcategories"]
    subcategories.append({"code": "TWO", "numeric": "002", "name": "Second"})
    run_import(document)
    swapped = copy.deepcopy(document)
    one, two = category(swapped)["subcategories"]
    one["name"], two["name"], one["numeric"], two["numeric"] = two["name"], one["name"], "002", "001"
    run_import(swapped)
    assert current_taxonomy().resolve("G", "BAS", "Second").hfn(1) == "G.BAS.ONE.001"


def test_an_invalid_document_changes_nothing(starter):
    with pytest.raises(InvalidDocument):
        run_import({"version": "2.0.0", "layers": []})
    assert current_taxonomy() is starter


def test_a_dry_run_reports_and_changes_nothing(starter):
    result = run_import(small_document(), dry_run=True)
    assert result.is_changed
    assert result.count("added") > 0
    assert result.count("removed") > 0
    assert current_taxonomy() is starter


def test_rejects_removing_nodes_in_use_and_lists_them(starter, use_node):
    casual, pop = starter.resolve("L", "CAS", "ATL"), starter.resolve("G", "POP", "BAS")
    for node in (casual, casual, pop):
        use_node(node)
    with pytest.raises(NodeInUse) as caught:
        run_import(small_document())
    assert "removes L.CAS (2 assets)" in caught.value.message
    assert "removes G.POP (1 asset)" in caught.value.message
    assert current_taxonomy() is starter


@pytest.mark.parametrize(("key", "value"), [("name", "Renamed"), ("numeric", "088"), ("code", "NEW")])
def test_rejects_changing_code_number_or_name_of_nodes_in_use(starter, use_node, key, value):
    use_node(starter.resolve("L", "CAS", "ATL"), deleted_at=timezone.now())  # a deleted asset can be restored
    for path in ("category", "subcategory"):
        document = json.loads(export_document())
        casual = document["layers"][2]["categories"][0]
        (casual if path == "category" else casual["subcategories"][1])[key] = value
        with pytest.raises(NodeInUse, match=r"L\.CAS"):
            run_import(document)


def test_the_description_of_a_node_in_use_can_change(starter, use_node):
    use_node(starter.resolve("L", "CAS", "ATL"))
    document = json.loads(export_document())
    document["layers"][2]["categories"][0]["subcategories"][1]["description"] = "Sport in the street"
    assert run_import(document).count("modified") == 1
    assert current_taxonomy().resolve("L", "CAS", "ATL").description == "Sport in the street"


def test_a_row_keeps_its_primary_key_if_its_code_stays(starter):
    before = starter.resolve("L", "CAS", "ATL").pk
    document = json.loads(export_document())
    document["layers"][2]["categories"][0]["subcategories"][1].update(name="Renamed", numeric="077")
    run_import(document)
    assert Subcategory.objects.get(name="Renamed").pk == before


@pytest.mark.django_db(transaction=True)
def test_concurrent_imports_create_a_version_each():
    load_starter_taxonomy()
    documents = [small_document(version="2.0.0"), small_document(version="3.0.0")]
    category(documents[1])["name"] = "Other"
    results, at_once = [], threading.Barrier(2)

    def work(document):
        try:
            at_once.wait()
            results.append(run_import(document))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[document]) for document in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {result.version for result in results} == {"2.0.0", "3.0.0"}
    current = TaxonomyVersion.objects.current()
    assert json.loads(export_document())["layers"][0]["categories"][0]["name"] == (
        "Other" if current.label == "3.0.0" else "Basics"
    )
    assert (Layer.objects.count(), TaxonomyVersion.objects.count()) == (10, 3)


@pytest.mark.django_db(transaction=True)
def test_eight_concurrent_imports_of_one_document_create_one_version():
    at_once = threading.Barrier(8)
    results = []

    def work():
        try:
            at_once.wait()
            results.append(run_import(small_document()))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.is_changed for result in results) == [False] * 7 + [True]
