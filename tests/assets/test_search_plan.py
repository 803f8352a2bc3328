"""Query plans of searches at 20,000 assets."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assets.api.listing import list_assets
from assets.demo import load_demo
from assets.models import Asset
from assets.search_sample import clear_sample, current_sample
from flags.evaluation import ALL_OFF, ALL_ON, EnabledFlags
from tests.factories.taxonomy import load_starter_taxonomy

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def many_assets(db: None) -> Iterator[None]:
    load_starter_taxonomy()
    with connection.cursor() as cursor:  # building the indexes at the end is several times faster
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename = 'assets_search' AND indexdef LIKE '%USING gin%'"
        )
        indexes = dict(cursor.fetchall())
        for name in indexes:
            cursor.execute(f"DROP INDEX {name}")
        load_demo(asset_count=20_000, now=timezone.now())
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for definition in indexes.values():
            cursor.execute(definition)
    row = Asset.objects.order_by("pk")[500]
    Asset.objects.filter(pk=row.pk).update(
        description="a xylophone in the orchard", creator_description="a xylophone of mine"
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE assets_asset, assets_search")
    clear_sample()
    yield
    clear_sample()


def explain(query: str, flags: EnabledFlags) -> tuple[str, int, int]:
    """Return the plans of the page of one search, the rows that they read, and the total."""
    current_sample()
    with CaptureQueriesContext(connection) as captured:
        page = list_assets(QueryDict(query), flags=flags, is_admin=False)
    plans, rows = [], 0
    for entry in captured.captured_queries:
        if "assets_search" in entry["sql"] and " >> 12" not in entry["sql"]:  # not the total
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (ANALYZE, TIMING OFF) " + entry["sql"])
                plans += [line for (line,) in cursor.fetchall()]
    for line in plans:
        if "Scan" in line and "CTE" not in line and "Bitmap Index" not in line and "actual rows=" in line:
            rows += int(float(line.rpartition("actual rows=")[2].split(" ")[0]))
    return "\n".join(plans), rows, page.total


def test_a_rare_text_is_read_from_the_text_indexes(many_assets: None) -> None:
    for text, index in {
        "xylophone": "by_trigram",
        "xylophone orchard": "by_trigram",
        "velvet golden": "by_trigram",  # two common words that never meet
        "xylophone mirror": "by_trigram",
        "xy": "by_gram",
    }.items():
        for flags in (ALL_OFF, ALL_ON):
            plan, rows, total = explain(f"search={text}&limit=12", flags)
            assert f"assets_search_{index}" in plan, plan
            assert "assets_search_by_stem" in plan, plan
            assert "Seq Scan on assets_search " not in plan, plan
            assert rows < 100, plan
            assert total == (0 if text in ("velvet golden", "xylophone mirror") else 1)


def test_a_common_text_is_found_among_the_newest_rows(many_assets: None) -> None:
    for query, least_total in {
        "search=velvet": 1000,
        "search=velvet&layer=L": 100,
        "search=velvet&tags=bold": 200,
        "search=as": 19_000,
        "search=asset": 19_000,
        "search=asset velvet": 1000,
    }.items():
        plan, rows, total = explain(f"{query}&limit=12", ALL_ON)
        assert total > least_total
        assert rows < 5000, plan
        assert "newest" in plan, plan
        assert "Seq Scan on assets_search " not in plan, plan
