"""Selections of assets: each way to read one gives the same rows, order and total."""

import json
from datetime import timedelta
from typing import Any

import pytest

from assets.api.asset_json import represent
from assets.models import Asset
from assets.search import EVERYTHING, build_search
from assets.selection import ALL_ASSETS, AssetSelection, TaxonomyScope
from flags.evaluation import ALL_OFF
from taxonomy.snapshot import TaxonomySnapshot
from tests.factories.assets import DAY_ONE, make_asset, make_assets
from tests.support.plain_search import plain_page

pytestmark = pytest.mark.django_db
NEWEST = ("-created_at", "-public_id")


@pytest.fixture(autouse=True)
def assets(taxonomy: TaxonomySnapshot) -> None:
    make_assets(5, "L.CAS.ATL", description="a silk dress")
    make_assets(3, "L.CAS.DNM", description="silk")
    make_assets(2, "S.POP.DIV", description="silk dress")
    make_asset("L.CAS.ATL", description="silk", deleted_at=DAY_ONE)
    make_asset("L.CAS.ATL", description="wool", created_at=DAY_ONE + timedelta(days=9))


def search_for(text: str, taxonomy: TaxonomySnapshot) -> Any:
    return build_search(text, taxonomy=lambda: taxonomy, scope=EVERYTHING)


def names(selection: AssetSelection, *, limit: int = 4, offset: int = 1) -> tuple[list[str], int]:
    found, total = represent(selection, ALL_OFF, limit=limit, offset=offset)
    return [json.loads(row)["name"] for row in found.rows], total


@pytest.mark.parametrize("scope", [ALL_ASSETS, TaxonomyScope("L"), TaxonomyScope("X"), "nodes", TaxonomyScope("L", [])])
@pytest.mark.parametrize("text", [None, "silk", "dress", "nothing"])
def test_the_fixed_statements_agree_with_the_queryset(scope: Any, text: str | None, taxonomy: TaxonomySnapshot) -> None:
    if scope == "nodes":
        scope = TaxonomyScope("L", [taxonomy.node_by_codes("L", "CAS", "ATL").pk])
    search = search_for(text, taxonomy) if text else None
    plain = AssetSelection(scope, search)
    by_queryset = AssetSelection(scope, search, filtered=scope.filter(Asset.objects.live()))
    assert plain.is_plain
    assert not by_queryset.is_plain
    pks = plain_page(plain) if search else plain.queryset().values_list("pk", flat=True)
    name_by_pk = dict(Asset.objects.values_list("pk", "name"))
    expected = [name_by_pk[pk] for pk in pks]
    for offset in (0, 1, 50):
        page = (expected[offset : offset + 4], len(expected))
        assert names(plain, offset=offset) == names(by_queryset, offset=offset) == page


def test_an_order_replaces_newest_first_and_best_match_first(taxonomy: TaxonomySnapshot) -> None:
    assert names(AssetSelection(order=("name",)), limit=1, offset=0) == (["L.CAS.ATL.001"], 11)
    found = AssetSelection(search=search_for("silk", taxonomy), order=("-name",))
    assert names(found, limit=1, offset=0) == (["S.POP.DIV.002"], 10)


def test_deleted_assets_are_selected_only_by_the_caller_s_rows() -> None:
    everything = Asset.objects.all()
    assert AssetSelection().count() == 11
    assert names(AssetSelection(filtered=everything), limit=1, offset=0)[1] == everything.count() == 12
