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
def test_a_node_is_found_by_name_code_and_number(starter, layer, category, subcategory):
    assert starter.resolve(layer, category, subcategory).hfn(7) == "L.CAS.ATL.007"


@pytest.mark.parametrize("spelling", ["Hip_Hop", "hip hop", "HIP-HOP", "HIP"])
def test_hyphen_space_and_underscore_are_one(starter, spelling):
    assert starter.resolve("G", spelling, "base").hfn(1) == "G.HIP.BAS.001"


def test_an_alias_leads_to_its_node(starter):
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
def test_what_does_not_exist_is_refused_in_the_legacy_words(starter, path, field, message):
    with pytest.raises(InvalidTaxonomyPath) as caught:
        starter.resolve(*path)
    assert (caught.value.message, caught.value.field_errors[0].field) == (message, field)


def test_unknown_is_never_read_as_base(starter):
    with pytest.raises(InvalidTaxonomyPath):
        starter.resolve("G", "Pop", "Bas_")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_a_node_or_refused(starter, layer, category, subcategory):
    for path in ((layer, category, subcategory), ("L", category, subcategory), ("L", "CAS", subcategory)):
        with suppress(InvalidTaxonomyPath):
            starter.resolve(*path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.text(max_size=60) | st.from_regex(r"([1-9LGC]\.[0-9A-Z]{3}\.[0-9A-Z]{3}\.\d{3,4}[:+]?){0,4}", fullmatch=True))
def test_any_text_converts_or_is_refused(starter, text):
    for convert in (starter.hfn_to_mfa, starter.mfa_to_hfn):
        try:
            convert(text)
        except InvalidAddress as error:
            error.message.encode()


def test_every_node_converts_there_and_back_in_both_notations(starter):
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
def test_names_convert_part_by_part(starter, name, address):
    assert starter.hfn_to_mfa(name, with_numeric_layer=True) == address


def test_addresses_convert_part_by_part(starter):
    assert starter.mfa_to_hfn("9.001.001.001+L.001.002.003:L.CAS.ATL.004") == (
        "C.MIX.OFF.001:L.CAS.ATL.003:L.CAS.ATL.004"
    )


@pytest.mark.parametrize(
    "text",
    ["L.999.001.001", "C.001.001.001:L.999.999.001", "C.001.001.001:L.XXX.XXX.001", "C.001.001.001::3.001.001.001"],
)
def test_numbers_nobody_has_are_refused_wherever_they_stand(starter, text):
    with pytest.raises(InvalidAddress):
        starter.mfa_to_hfn(text)
    with pytest.raises(InvalidAddress):
        starter.hfn_to_mfa(text.replace("C.001.001", "C.MIX.OFF"))


def test_filters_match_by_level_and_across_layers(starter):
    assert {node.layer for node in starter.matching_nodes(category="Pop")} == {"G", "S", "M"}
    assert [node.code for node in starter.matching_nodes(layer="L", category="CAS", subcategory="002")] == ["ATL"]
    assert starter.matching_nodes(layer="L", category="Nope") == []


def test_a_path_that_leads_nowhere_is_missing(starter):
    with pytest.raises(NodeNotFound):
        starter.get_layer("Z")
    with pytest.raises(NodeNotFound):
        starter.get_category("L", "ZZZ")


def test_asking_again_costs_one_small_query(starter, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert current_taxonomy() is starter


def test_reading_everything_costs_five_queries_whatever_the_size(starter, django_assert_num_queries):
    make_node("L", "CAS", "QQQ")
    clear_taxonomy_cache()
    with django_assert_num_queries(5):
        load_taxonomy()


def test_a_change_is_seen_at_once(starter):
    document = json.loads(export_document())
    document["layers"][2]["categories"][0]["subcategories"][1]["name"] = "Sporty"
    import_document(document, by=None, now=timezone.now())
    assert current_taxonomy().resolve("L", "CAS", "sporty").code == "ATL"
    assert starter.resolve("L", "CAS", "Athleisure").code == "ATL"  # who holds the old snapshot is not disturbed


@pytest.mark.django_db(transaction=True)
def test_threads_share_one_snapshot_and_never_see_half_a_change():
    load_starter_taxonomy()
    names = set()
    stop = threading.Event()

    def read():
        try:
            while not stop.is_set():
                directory = current_taxonomy()
                node = directory.node_by_codes("L", "CAS", "ATL")
                names.add((directory.version, node.name, node.category_name))
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
