"""The organisation's own taxonomy, where it is at hand: its regression list, every node, the same bytes back."""

import json

import pytest
from django.utils import timezone

from taxonomy.consistency import find_errors, find_warnings
from taxonomy.snapshot_cache import current_taxonomy
from taxonomy.sync import export_document, import_document

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("organisation")]


def test_all_739_subcategories_convert_there_and_back():
    directory = current_taxonomy()
    nodes = list(directory.nodes())
    assert len(nodes) == 739
    for node in nodes:
        address = directory.hfn_to_mfa(node.hfn(1), with_numeric_layer=True)
        assert directory.mfa_to_hfn(address) == node.hfn(1)
        for spelling in (node.name, node.code, f"{node.number:03d}", f"{node.category_code}.{node.code}"):
            assert directory.resolve(node.layer, node.category_name, spelling) == node


def test_the_sizes_are_those_of_the_contract():
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
def test_regressions(name, address):
    directory = current_taxonomy()
    converted = directory.hfn_to_mfa(f"{name}.001", with_numeric_layer=True)
    assert address is None or converted == f"{address}.001"
    assert directory.mfa_to_hfn(converted) == f"{name}.001"


def test_more_of_the_regression_list():
    directory = current_taxonomy()
    assert directory.resolve("S", "001", "007").hfn(1) == "S.POP.HPM.001"
    assert directory.resolve_layer("W").find("HIP") is None
    assert directory.resolve_layer("W").find("URB").number == 3
    assert directory.resolve("W", "Natural", "Base").category_number == 5
    assert directory.resolve("W", "Nature", "Base").category_number == 15
    assert directory.resolve("G", "POP", "SWIFT") == directory.resolve("G", "POP", "TSW")
    assert directory.resolve("G", "POP", "TSW").mfa(1) == "G.001.012.001"
    # Annotations only: the old number of another node is a live node today.
    assert directory.mfa_to_hfn("1.014.002.001") == "G.RFK.TFK.001"
    # The number of a category is the layer's own.
    assert directory.resolve("G", "DNC", "BAS").category_number == 4
    assert directory.resolve("S", "DNC", "BAS").category_number == 5


def test_the_same_bytes_come_back_and_a_second_import_changes_nothing(organisation):
    assert export_document() == organisation
    assert not import_document(json.loads(organisation), by=None, now=timezone.now()).is_changed


def test_it_is_consistent():
    assert (find_errors(), find_warnings()) == ([], [])
