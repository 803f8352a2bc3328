import json
import threading
from contextlib import suppress

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxonomy.errors import InvalidAddress, InvalidTaxonomyPath, NodeNotFound
from taxonomy.snapshot_cache import clear_taxonomy_cache, current_taxonomy, load_taxonomy
from taxonomy.sync import export_document, import_document
from tests.factories.taxonomy import load_starter_taxonomy, make_node

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("layer", "category", "subcategory"),
    [
        ("L", "Casual", "Athleisure"),
        ("l", "CAS", "ATL"),
        ("3", "001", "002"),
        (" L ", "1", "2"),
        ("L", "cAsUaL", "CAS.ATL"),
        ("L", "CAS", "Casual.Athleisure"),
    ],
)
def test_resolves_a_node_by_name_code_and_number(starter, layer, category, subcategory):
    assert starter.resolve(layer, category, subcategory).hfn(7) == "L.CAS.ATL.007"


@pytest.mark.parametrize("spelling", ["Hip_Hop", "hip hop", "HIP-HOP", "HIP"])
def test_resolves_spellings_with_hyphen_space_and_underscore(starter, spelling):
    assert starter.resolve("G", spelling, "base").hfn(1) == "G.HIP.BAS.001"


def test_resolves_and_converts_aliases(starter):
    assert starter.resolve("G", "HIP", "LOFI") == starter.resolve("G", "HIP", "LOF")
    assert starter.hfn_to_mfa("G.HIP.LOFI.003") == starter.hfn_to_mfa("G.HIP.LOF.003")


@pytest.mark.parametrize(
    ("path", "field", "message"),
    [
        (("E", "x", "y"), "layer", "Invalid layer: E"),
        (("", "x", "y"), "layer", "Invalid layer: "),
        (("11", "x", "y"), "layer", "Invalid layer: 11"),
        (("L", "Nope", "y"), "category", "Invalid category: Nope for layer: L"),
        (("L", "Casual", "Nope"), "subcategory", "Invalid subcategory: Nope for layer: L, category: Casual"),
        (("L", "Casual", "FRM.BLK"), "subcategory", "Invalid subcategory: FRM.BLK for layer: L, category: Casual"),
    ],
)
def test_unknown_paths_raise_the_messages_of_the_contract(starter, path, field, message):
    with pytest.raises(InvalidTaxonomyPath) as caught:
        starter.resolve(*path)
    assert (caught.value.message, caught.value.field_errors[0].field) == (message, field)


def test_an_unknown_subcategory_does_not_resolve_to_base(starter):
    with pytest.raises(InvalidTaxonomyPath):
        starter.resolve("G", "Pop", "Bas_")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_any_text_resolves_or_raises_invalid_path(starter, layer, category, subcategory):
    for path in ((layer, category, subcategory), ("L", category, subcategory), ("L", "CAS", subcategory)):
        with suppress(InvalidTaxonomyPath):
            starter.resolve(*path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.text(max_size=60) | st.from_regex(r"([1-9LGC]\.[0-9A-Z]{3}\.[0-9A-Z]{3}\.\d{3,4}[:+]?){0,4}", fullmatch=True))
def test_any_text_converts_or_raises_invalid_address(starter, text):
    for convert in (starter.hfn_to_mfa, starter.mfa_to_hfn):
        try:
            convert(text)
        except InvalidAddress as error:
            error.message.encode()


def test_every_node_converts_in_both_directions_and_notations(starter):
    for node in starter.nodes():
        for number in (1, 999, 1000):
            assert starter.mfa_to_hfn(node.mfa(number)) == node.hfn(number)
            assert starter.mfa_to_hfn(node.numeric_mfa(number)) == node.hfn(number)
            assert starter.hfn_to_mfa(node.hfn(number)) == node.mfa(number)
            assert starter.hfn_to_mfa(node.hfn(number), with_numeric_layer=True) == node.numeric_mfa(number)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("L.CAS.ATL.001", "3.001.002.001"),
        ("l.cas.atl.0012", "3.001.002.012"),
        ("L.CAS.ATL.001.PNG", "3.001.002.001.png"),
        ("L.CAS.ATL.001.set", "3.001.002.001.set"),
        ("L.CAS.ATL.000", "3.001.002.000"),
        ("C.MIX.OFF.001:", "9.001.001.001"),
        ("C.MIX.OFF.001:L.001.002.003", "9.001.001.001:3.001.002.003"),
        ("C.MIX.OFF.001+L.CAS.ATL.003:3.001.002.004", "9.001.001.001:3.001.002.003:3.001.002.004"),
    ],
)
def test_converts_hfns_and_composites(starter, name, address):
    assert starter.hfn_to_mfa(name, with_numeric_layer=True) == address


def test_converts_mfas_of_composites(starter):
    assert starter.mfa_to_hfn("9.001.001.001+L.001.002.003:L.CAS.ATL.004") == (
        "C.MIX.OFF.001:L.CAS.ATL.003:L.CAS.ATL.004"
    )


@pytest.mark.parametrize(
    "text",
    ["L.999.001.001", "C.001.001.001:L.999.999.001", "C.001.001.001:L.XXX.XXX.001", "C.001.001.001::3.001.001.001"],
)
def test_rejects_unknown_numbers_in_base_and_components(starter, text):
    with pytest.raises(InvalidAddress):
        starter.mfa_to_hfn(text)
    with pytest.raises(InvalidAddress):
        starter.hfn_to_mfa(text.replace("C.001.001", "C.MIX.OFF"))


def test_matching_nodes_filters_by_level_and_across_layers(starter):
    assert {node.layer for node in starter.matching_nodes(category="Pop")} == {"G", "S", "M"}
    assert [node.code for node in starter.matching_nodes(layer="L", category="CAS", subcategory="002")] == ["ATL"]
    assert starter.matching_nodes(layer="L", category="Nope") == []


def test_unknown_url_parts_raise_node_not_found(starter):
    with pytest.raises(NodeNotFound):
        starter.get_layer("Z")
    with pytest.raises(NodeNotFound):
        starter.get_category("L", "ZZZ")


def test_a_cached_snapshot_costs_one_query(starter, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert current_taxonomy() is starter


def test_loading_costs_five_queries_for_any_size(starter, django_assert_num_queries):
    make_node("L", "CAS", "QQQ")
    clear_taxonomy_cache()
    with django_assert_num_queries(5):
        load_taxonomy()


def test_a_change_is_visible_to_the_next_call(starter):
    document = json.loads(export_document())
    document["layers"][2]["categories"][0]["subcategories"][1]["name"] = "Sporty"
    import_document(document, by=None, now=timezone.now())
    assert current_taxonomy().resolve("L", "CAS", "sporty").code == "ATL"
    assert starter.resolve("L", "CAS", "Athleisure").code == "ATL"  # the old snapshot is unchanged


@pytest.mark.django_db(transaction=True)
def test_concurrent_readers_see_only_whole_versions():
    load_starter_taxonomy()
    names = set()
    stop = threading.Event()

    def read():
        try:
            while not stop.is_set():
                taxonomy = current_taxonomy()
                node = taxonomy.node_by_codes("L", "CAS", "ATL")
                names.add((taxonomy.version, node.name, node.category_name))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(1, 6):
            document = json.loads(export_document())
            casual = document["layers"][2]["categories"][0]
            casual["name"], casual["subcategories"][1]["name"] = f"Casual{turn}", f"Athleisure{turn}"
            import_document(document, by=None, now=timezone.now())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    seen = {
        (version, name.removeprefix("Athleisure"), category.removeprefix("Casual")) for version, name, category in names
    }
    assert all(turn == category_turn and version == f"1.0.{turn or 0}" for version, turn, category_turn in seen)
