"""Pages of lists: the rows that a plain query returns, read from the nearer end and from indexes alone."""

import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.api.listing import list_assets
from assets.models import Asset
from flags.evaluation import ALL_ON
from taxonomy.snapshot import TaxonomySnapshot
from tests.factories.assets import DAY_ONE, make_assets

pytestmark = pytest.mark.django_db

PATHS = ("L.CAS.ATL", "L.CAS.DNM", "L.VIN.Y2K", "S.POP.DIV", "G.POP.BAS")
SORTS: dict[str | None, str] = {
    None: "created_at",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "name": "name",
    "layer": "layer",
    "registeredBy": "registered_by",
}
FILTERS: dict[str, tuple[Any, ...]] = {
    "layer": ("L", "s", "X"),
    "category": ("CAS", "Pop", "nowhere"),
    "subcategory": ("ATL", "DIV"),
    "tags": ("red", "blue", "red,blue", "blue,red,red", "absent"),
    "registeredBy": ("MIRA@studio.example", "theo@studio.example", "nobody"),
    "status": ("active", "curated", "all", "unknown"),
    "hasAlbumArt": ("true", "false"),
    "hasCreatorDescription": ("true", "false"),
    "creatorDescriptionOrigin": ("person", "backfill", "other"),
    "createdAfter": ((DAY_ONE + timedelta(minutes=3)).isoformat(),),
}


@pytest.fixture
def assets(taxonomy: TaxonomySnapshot) -> None:
    """Sixty assets: many of one moment, and each value of each filter in some of them."""
    for number in range(60):
        make_assets(
            1, PATHS[number % len(PATHS)],
            created_at=DAY_ONE + timedelta(minutes=number // 7),
            updated_at=DAY_ONE + timedelta(hours=number % 5),
            tags=[tag for tag, every in (("red", 2), ("blue", 3), ("rare", 31)) if number % every == 0],
            registered_by=("mira@studio.example", "theo@studio.example")[number % 4 == 0],
            curated_at=DAY_ONE if number % 6 == 0 else None,
            album_art="https://images.example/a.jpg" if number % 5 == 0 else None,
            creator_description="a dress" if number % 3 else None,
            creator_description_origin="backfill" if number % 3 == 1 else "",
            deleted_at=DAY_ONE if number % 10 == 9 else None,
        )  # fmt: skip


def expected_names(taxonomy: TaxonomySnapshot, request: dict[str, str]) -> list[str]:
    """Filter and sort all assets in Python."""
    tags = set(filter(None, request.get("tags", "").split(",")))
    scope = {name: request.get(name) for name in ("layer", "category", "subcategory")}
    nodes = {node.pk for node in taxonomy.matching_nodes(**scope)}
    origins = {"person": "", "backfill": "backfill"}
    tests = {
        "registeredBy": lambda asset, value: asset.registered_by.upper() == value.upper(),
        "status": lambda asset, value: {"curated": bool(asset.curated_at)}.get(value, value in ("active", "all")),
        "hasAlbumArt": lambda asset, value: (asset.album_art is not None) == (value == "true"),
        "hasCreatorDescription": lambda asset, value: (asset.creator_description is not None) == (value == "true"),
        "creatorDescriptionOrigin": lambda asset, value: (
            value not in origins
            or (asset.creator_description is not None and asset.creator_description_origin == origins[value])
        ),
        "createdAfter": lambda asset, value: asset.created_at.isoformat() >= value,
    }
    found = [
        asset
        for asset in Asset.objects.filter(deleted_at=None)
        if tags <= set(asset.tags)
        and (asset.taxonomy_node_id in nodes or not any(scope.values()))
        and all(test(asset, request[name]) for name, test in tests.items() if name in request)
    ]
    column = SORTS[request.get("sortBy")]
    by_default = "asc" if request.get("sortBy") in ("name", "layer", "registeredBy") else "desc"
    found.sort(
        key=lambda asset: (getattr(asset, column), asset.public_id),
        reverse=request.get("sortOrder", by_default) == "desc",
    )
    return [asset.name for asset in found]


requests = st.fixed_dictionaries(
    {},
    optional={name: st.sampled_from(values) for name, values in FILTERS.items()}
    | {"sortBy": st.sampled_from([name for name in SORTS if name]), "sortOrder": st.sampled_from(["asc", "desc"])},
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=requests, limit=st.integers(1, 25))
def test_all_pages_hold_the_rows_of_a_plain_query(
    assets: None, taxonomy: TaxonomySnapshot, request: dict[str, str], limit: int
) -> None:
    expected = expected_names(taxonomy, request)
    for page in range(1, len(expected) // limit + 3):
        assert page_names(request | {"page": str(page), "limit": str(limit)}) == (
            expected[(page - 1) * limit : page * limit],
            len(expected),
        ), page


def page_names(request: dict[str, str]) -> tuple[list[str], int]:
    params = QueryDict(mutable=True)
    params.update(request)
    page = list_assets(params, flags=ALL_ON, is_admin=False)
    return [json.loads(row)["name"] for row in page.rows.rows], page.total


@pytest.mark.parametrize("query", ["", "layer=L", "tags=red", "tags=red,blue", "category=CAS", "status=curated"])
def test_a_page_past_the_end_reads_no_rows(assets: None, query: str) -> None:
    list_assets(QueryDict(query), flags=ALL_ON, is_admin=False)  # loads the taxonomy
    with CaptureQueriesContext(connection) as captured:
        page = list_assets(QueryDict(f"{query}&page=1000000"), flags=ALL_ON, is_admin=False)
    assert page.rows.rows == []
    assert page.total > 0
    assert not [entry["sql"] for entry in captured if "document" in entry["sql"]]


@pytest.fixture
def many_assets(transactional_db: None, taxonomy: TaxonomySnapshot) -> Iterator[None]:
    """Two thousand assets in a vacuumed table, so that indexes are read alone."""
    for start in range(4):
        make_assets(500, PATHS[start], tags=["red", f"tag{start}"], album_art="https://images.example/a.jpg")
    vacuum("assets_asset")
    vacuum("assets_tagged")
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE assets_asset CASCADE")


def vacuum(table: str) -> None:
    """Vacuum until all rows are marked as visible to all; an older snapshot elsewhere delays that."""
    deadline = time.monotonic() + 60
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(f"VACUUM ANALYZE {table}")
            cursor.execute("SELECT relallvisible = relpages FROM pg_class WHERE relname = %s", [table])
            if cursor.fetchone()[0]:
                return
            time.sleep(0.2)
    raise AssertionError(f"{table} holds rows that are not visible to all")


INDEXES = {
    "": "assets_newest",
    "sortBy=createdAt&order=asc": "assets_newest",
    "sortBy=updatedAt": "assets_updated",
    "sortBy=name": "assets_name_once",
    "layer=L&sortBy=name": "assets_name_once",
    "layer=L": "assets_layer_newest",
    "layer=L&category=CAS": "assets_node_newest",  # two subcategories
    "layer=L&category=CAS&subcategory=ATL": "assets_node_newest",
    "tags=red": "assets_tagged_newest",
    "tags=red,tag1": "assets_tagged_newest",
    "registeredBy=Mira@studio.example": "assets_registrant_newest",
    "hasAlbumArt=true": "assets_album_art_newest",
    "hasCreatorDescription=false": "assets_no_description_newest",
}


def test_a_page_reads_its_rows_and_an_index_in_page_order_alone(many_assets: None) -> None:
    for query, index in INDEXES.items():
        total = list_assets(QueryDict(f"{query}&limit=10"), flags=ALL_ON, is_admin=False).total
        for page in {1, 20, total // 20 + 1, total // 10}:
            with CaptureQueriesContext(connection) as captured:
                list_assets(QueryDict(f"{query}&limit=10&page={page}"), flags=ALL_ON, is_admin=False)
            [sql] = [entry["sql"] for entry in captured if "document" in entry["sql"]]
            plan = explain(sql)
            assert f"using {index} " in plan, (query, page, plan)
            assert "Seq Scan on assets_asset" not in plan, (query, page, plan)
            assert not re.search(r"Heap Fetches: [1-9]", plan), (query, page, plan)
            row_scan = re.search(r"Index Scan using assets_asset_public_id_key on assets_asset.*loops=(\d+)", plan)
            assert row_scan, (query, page, plan)
            assert int(row_scan[1]) == 10, (query, page, plan)


def test_the_last_page_is_read_from_the_end(many_assets: None) -> None:
    for query in INDEXES:
        total = list_assets(QueryDict(f"{query}&limit=10"), flags=ALL_ON, is_admin=False).total
        with CaptureQueriesContext(connection) as captured:
            list_assets(QueryDict(f"{query}&limit=10&page={total // 10}"), flags=ALL_ON, is_admin=False)
        [sql] = [entry["sql"] for entry in captured if "document" in entry["sql"]]
        walked = [int(rows) for rows in re.findall(r"Index Only Scan.*rows=(\d+)", explain(sql))]
        assert max(walked) <= 100, (query, explain(sql))  # two tags that half of the rows have are merged


def explain(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + sql.replace("%", "%%"))
        return "\n".join(line for (line,) in cursor.fetchall())
