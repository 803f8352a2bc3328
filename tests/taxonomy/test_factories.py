import pytest

from taxonomy.snapshot_cache import current_taxonomy
from tests.factories.taxonomy import load_starter_taxonomy, make_node

pytestmark = pytest.mark.django_db


def test_starter_taxonomy_is_loaded_once():
    assert load_starter_taxonomy().version_pk == load_starter_taxonomy().version_pk


def test_make_node_creates_a_node_unless_the_starter_has_it():
    assert make_node("L", "CAS", "ATL").mfa(1) == "L.001.002.001"
    made = make_node("L", "ZZZ", "QQQ", number=7, name="Own")
    assert (made.hfn(12), made.number, made.name) == ("L.ZZZ.QQQ.012", 7, "Own")
    assert current_taxonomy().node(made.pk) == made
