"""Query plans of searches at 100,000 assets."""

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assets.api.listing import list_assets
from assets.demo import load_demo
from assets.models import Asset
from flags.evaluation import ALL_OFF, ALL_ON, EnabledFlags
from tests.factories.taxonomy import load_starter_taxonomy

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def hundred_thousand(db: None) -> None:
    load_starter_taxonomy()
    # Building the indexes at the end is several times faster.
    searched = [index for index in Asset._meta.indexes if index.name.startswith("assets_search_")]
    with connection.schema_editor() as schema:
        for index in searched:
            schema.remove_index(Asset, index)
    load_demo(asset_count=100_000, now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with connection.schema_editor() as schema:
        for index in searched:
            schema.add_index(Asset, index)
    row = Asset.objects.order_by("pk")[500]
    Asset.objects.filter(pk=row.pk).update(
        description="a xylophone in the orchard", creator_description="a xylophone of mine"
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE assets_asset")


def explain(query: str, flags: EnabledFlags) -> tuple[str, int]:
    """Return the plans of all asset queries of one list request, and its total."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        page = list_assets(QueryDict(query), flags=flags, is_admin=False)
    plans = []
    for entry in captured.captured_queries:
        if "assets_asset" in entry["sql"] and entry["sql"].startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + entry["sql"].replace("%", "%%"))
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return "\n".join(plans), page.total


def test_a_search_uses_indexes_instead_of_a_table_scan(hundred_thousand: None) -> None:
    for text in ("xylophone", "xylophone orchard", "velvet orchard", "harbour signal"):
        for flags in (ALL_OFF, ALL_ON):
            plan, _ = explain(f"search={text}&limit=12", flags)
            assert "assets_search_substring" in plan, plan
            assert "Seq Scan on assets_asset" not in plan, plan
    assert explain("search=xylophone", ALL_OFF)[1] == 1
    common, total = explain("search=velvet&limit=12", ALL_OFF)
    assert total > 5000
    assert "Seq Scan on assets_asset" not in common, common
    exact, total = explain("search=L.CAS.ATL.007&limit=1", ALL_OFF)
    assert "Seq Scan on assets_asset" not in exact, exact
    for query in ("limit=1000", "layer=L&limit=50", "layer=L&category=CAS&subcategory=ATL&limit=50"):
        plan, _ = explain(query, ALL_ON)
        assert "Index Scan" in plan, plan
        assert "Seq Scan on assets_asset" not in plan, plan
    short, total = explain("search=dn&limit=12", ALL_ON)  # too short for the trigram index
    assert total > 100
    assert "assets_search_words" in short, "the table is scanned, but word forms come from the index"
