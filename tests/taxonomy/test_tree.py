import pytest

from taxonomy.tree import build_tree

pytestmark = pytest.mark.django_db


def names(nodes):
    return {node.name: names(node.children) for node in nodes}


def test_counts_are_summed_on_each_level(starter):
    athleisure = starter.resolve("L", "CAS", "ATL")
    looks = build_tree(starter, {athleisure.pk: 3})[2]
    casual = looks.children[0]
    assert (looks.asset_count, casual.asset_count, casual.children[1].asset_count) == (3, 3, 3)
    assert (looks.codes, casual.codes, casual.children[1].codes) == ("L", "L.CAS", "L.CAS.ATL")
    assert (looks.numbers, casual.numbers, casual.children[1].numbers) == ("3", "L.001", "L.001.002")


@pytest.mark.parametrize("search", ["athleis", "ATHLEISURE", "l.cas.atl", "L.001.002"])
def test_search_keeps_the_ancestors_of_matches(starter, search):
    assert names(build_tree(starter, {}, search=search)) == {"Looks": {"Casual": {"Athleisure": {}}}}


def test_search_keeps_the_children_of_matches(starter):
    assert set(names(build_tree(starter, {}, search="casual"))["Looks"]["Casual"]) >= {"Base", "Athleisure"}


def test_blank_search_returns_all_layers_and_no_match_returns_none(starter):
    assert len(build_tree(starter, {}, search="  ")) == 10
    assert build_tree(starter, {}, search="\x00nonsense") == []
