import pytest

from taxonomy.tree import build_tree

pytestmark = pytest.mark.django_db


def names(branches):
    return {branch.name: names(branch.children) for branch in branches}


def test_counts_add_up_level_by_level(starter):
    athleisure = starter.resolve("L", "CAS", "ATL")
    looks = build_tree(starter, {athleisure.pk: 3})[2]
    casual = looks.children[0]
    assert (looks.asset_count, casual.asset_count, casual.children[1].asset_count) == (3, 3, 3)
    assert (looks.codes, casual.codes, casual.children[1].codes) == ("L", "L.CAS", "L.CAS.ATL")
    assert (looks.numbers, casual.numbers, casual.children[1].numbers) == ("3", "L.001", "L.001.002")


@pytest.mark.parametrize("search", ["athleis", "ATHLEISURE", "l.cas.atl", "L.001.002"])
def test_a_search_keeps_the_way_to_what_it_finds(starter, search):
    assert names(build_tree(starter, {}, search=search)) == {"Looks": {"Casual": {"Athleisure": {}}}}


def test_a_search_keeps_all_below_what_it_finds(starter):
    assert set(names(build_tree(starter, {}, search="casual"))["Looks"]["Casual"]) >= {"Base", "Athleisure"}


def test_a_search_for_nothing_finds_everything_and_one_for_nonsense_nothing(starter):
    assert len(build_tree(starter, {}, search="  ")) == 10
    assert build_tree(starter, {}, search="\x00nonsense") == []
