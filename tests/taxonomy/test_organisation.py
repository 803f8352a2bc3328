"""The organization's own taxonomy: regressions, sizes and round trips. Skipped if the file is absent."""

import json

import pytest
from django.utils import timezone

from taxonomy.consistency import find_errors, find_warnings
from taxonomy.snapshot_cache import current_taxonomy
from taxonomy.sync import export_document, import_document

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("organisation")]


def test_all_739_subcategories_convert_in_both_directions():
    taxonomy = current_taxonomy()
    nodes = list(taxonomy.nodes())
    assert len(nodes) == 739
    for node in nodes:
        address = taxonomy.hfn_to_mfa(node.hfn(1), with_numeric_layer=True)
        assert taxonomy.mfa_to_hfn(address) == node.hfn(1)
        for spelling in (node.name, node.code, f"{node.number:03d}", f"{node.category_code}.{node.code}"):
            assert taxonomy.resolve(node.layer, node.category_name, spelling) == node


def test_sizes_match_the_contract():
    sizes = {
        layer.code: (len(layer.categories), sum(len(category.nodes) for category in layer.categories))
        for layer in current_taxonomy().layers
    }
    assert sizes == {
        "G": (20, 174),
        "S": (16, 162),
        "L": (14, 86),
        "M": (23, 136),
        "W": (15, 72),
        "B": (2, 3),
        "P": (2, 2),
        "T": (7, 58),
        "C": (6, 24),
        "R": (4, 22),
    }


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("S.POP.HPM", "2.001.007"),
        ("L.CAS.ATL", "3.004.004"),
        ("W.BCH.SUN", "5.004.003"),
        ("S.HIP.BAS", "2.003.001"),
        ("W.NAT.BAS", "5.015.001"),
        ("S.POP.BAS", "2.001.001"),
        ("L.Y2K.E2K", None),
        ("L.DIG.W3S", None),
    ],
)
def test_listed_regressions_convert_in_both_directions(name, address):
    taxonomy = current_taxonomy()
    converted = taxonomy.hfn_to_mfa(f"{name}.001", with_numeric_layer=True)
    assert address is None or converted == f"{address}.001"
    assert taxonomy.mfa_to_hfn(converted) == f"{name}.001"


def test_listed_regressions_resolve():
    taxonomy = current_taxonomy()
    assert taxonomy.resolve("S", "001", "007").hfn(1) == "S.POP.HPM.001"
    assert taxonomy.resolve_layer("W").find("HIP") is None
    assert taxonomy.resolve_layer("W").find("URB").number == 3
    assert taxonomy.resolve("W", "Natural", "Base").category_number == 5
    assert taxonomy.resolve("W", "Nature", "Base").category_number == 15
    assert taxonomy.resolve("G", "POP", "SWIFT") == taxonomy.resolve("G", "POP", "TSW")
    assert taxonomy.resolve("G", "POP", "TSW").mfa(1) == "G.001.012.001"
    # `legacy_codes` is not applied: the former number of another node belongs to a live node today.
    assert taxonomy.mfa_to_hfn("1.014.002.001") == "G.RFK.TFK.001"
    # A category has its own number in each layer.
    assert taxonomy.resolve("G", "DNC", "BAS").category_number == 4
    assert taxonomy.resolve("S", "DNC", "BAS").category_number == 5


def test_exports_the_imported_bytes_and_a_second_import_changes_nothing(organisation):
    assert export_document() == organisation
    assert not import_document(json.loads(organisation), by=None, now=timezone.now()).is_changed


def test_taxonomy_is_consistent():
    assert (find_errors(), find_warnings()) == ([], [])
