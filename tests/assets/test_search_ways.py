"""The two ways to read a search give the same page and total as one plain query, for any texts, words and filters."""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets import search_pages
from assets.models import Asset
from assets.search import Search, SearchScope, build_search
from assets.search_pages import SearchReader
from assets.search_sample import SearchSample, clear_sample, load_sample
from assets.selection import ALL_ASSETS, AssetSelection, TaxonomyScope
from taxonomy.snapshot import TaxonomySnapshot
from tests.factories.assets import DAY_ONE, make_asset
from tests.support.plain_search import plain_page

pytestmark = pytest.mark.django_db

SCOPES = [SearchScope(*flags) for flags in product((False, True), repeat=2)]
# Words whose forms, parts and joints meet: "danc" is the stem of "dancing", "happi" that of "happy", "the" a stop word.
# Words whose forms, parts and joints meet: "danc" is the stem of "dancing", "happi" that of "happy", "the" a stop word,
# and the parser takes what is between < and > for a tag.
WORDS = (  # noqa: SIM905
    "dance dancing danc happy happier happi the a x xy velvet velvets vel elv neon neo 夜 夜歌 <b b> 100% a\\b it's & |"
    " cas.atl 1 hip hop hip-hop"
).split()  # fmt: skip
PLACES = ["all", "layer", "node", "nodes", "tag", "deleted", "sorted"]


def make_text(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(1, 7)))


def make_search(rng: random.Random, texts: list[str]) -> str:
    """Return a word, or some words of a text in or out of their order."""
    words = rng.choice(texts).split()
    start = rng.randrange(len(words))
    chosen = words[start : start + rng.randint(1, 3)]
    return rng.choice([rng.choice(WORDS), " ".join(chosen), " ".join(rng.sample(chosen, len(chosen)))])


class SampleOfAll(SearchSample):
    """Makes each word common: a walk is always shorter."""

    def __init__(self, sample: SearchSample) -> None:
        super().__init__(sample.rows, 10**9)


class SampleOfNone(SearchSample):
    """Makes each word rare."""

    def __init__(self) -> None:
        super().__init__([], 0)


def assert_ways_agree(selection: AssetSelection, *, limit: int, offset: int) -> None:
    assert selection.search is not None
    expected = plain_page(selection)
    page = expected[offset : offset + limit]
    search = selection.search
    found = selection.queryset().filter(search.condition)
    found = found if selection.order else found.order_by(search.rank, "-created_at", "-public_id")
    assert list(found.values_list("pk", flat=True)) == expected
    for sample in (SampleOfNone(), SampleOfAll(load_sample())):
        reader = SearchReader(selection, sample)
        assert reader.walk(limit, offset) == page
        assert reader.count() == len(expected)
        assert reader.read_all(limit, offset) == (page, len(expected))


@pytest.fixture
def assets(taxonomy: TaxonomySnapshot) -> Iterator[None]:
    clear_sample()
    yield
    clear_sample()


# Drawn by one generator: each example then has many rows and searches that meet, instead of the smallest ones.
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_both_ways_agree_with_a_plain_query(
    assets: None, taxonomy: TaxonomySnapshot, monkeypatch: pytest.MonkeyPatch, rng: random.Random
) -> None:
    with transaction.atomic():
        for number in range(12):
            is_marked = rng.random() < 0.5
            make_asset(
                ("L.CAS.ATL", "L.CAS.DNM", "S.POP.DIV")[number % 3],
                description=make_text(rng),
                creator_description=rng.choice([None, make_text(rng)]),
                ai_metadata=rng.choice([None, {"mood": make_text(rng)}]),
                tags=["neon hip-hop"] if is_marked else ["Velvet_x"],
                deleted_at=DAY_ONE if is_marked and number % 4 == 0 else None,
                created_at=DAY_ONE + timedelta(days=number % 5),
            )
        rows = Asset.objects.values_list("name", "description", "creator_description", "ai_metadata__mood")
        texts = [text for row in rows for text in row if text]
        for _ in range(20):
            monkeypatch.setattr(search_pages, "MAX_FORMS", rng.choice([0, 5000]))
            search = build_search(make_search(rng, texts), taxonomy=lambda: taxonomy, scope=rng.choice(SCOPES))
            selection = select(search, rng.choice(PLACES), taxonomy)
            assert_ways_agree(selection, limit=4, offset=rng.randrange(3))
        transaction.set_rollback(True)


def select(search: Search, place: str, taxonomy: TaxonomySnapshot) -> AssetSelection:
    nodes = [taxonomy.node_by_codes(*path.split(".")).pk for path in ("L.CAS.ATL", "S.POP.DIV")]
    return {
        "all": AssetSelection(ALL_ASSETS, search),
        "layer": AssetSelection(TaxonomyScope("L"), search),
        "node": AssetSelection(TaxonomyScope("L", nodes[:1]), search),
        "nodes": AssetSelection(TaxonomyScope(None, nodes), search),
        "tag": AssetSelection(ALL_ASSETS, search, filtered=Asset.objects.live().filter(tags__contains=["Velvet_x"])),
        "deleted": AssetSelection(TaxonomyScope("L"), search, filtered=Asset.objects.filter(layer="L")),
        "sorted": AssetSelection(ALL_ASSETS, search, order=("name", "public_id")),
    }[place]


@pytest.mark.parametrize(
    ("text", "description", "creator"),
    [
        ("happi", "a happy end", None),  # its own stem, which "happy" does not contain
        ("dancing", "a <b dance", "c > d"),  # a tag, if the texts are read as one
    ],
)
def test_forms_that_the_full_text_does_not_show_are_found(
    assets: None, taxonomy: TaxonomySnapshot, text: str, description: str, creator: str | None
) -> None:
    pk = make_asset(description=description, creator_description=creator).pk
    for scope in SCOPES:
        selection = AssetSelection(search=build_search(text, taxonomy=lambda: taxonomy, scope=scope))
        assert_ways_agree(selection, limit=4, offset=0)
    selection = AssetSelection(search=build_search(text, taxonomy=lambda: taxonomy, scope=SCOPES[0]))
    assert plain_page(selection) == [pk]
