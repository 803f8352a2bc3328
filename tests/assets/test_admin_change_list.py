"""The pages of the asset list: all rows once and in order, and read by an index."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assets.admin import AssetAdmin
from assets.models import Asset
from taxonomy.models import Subcategory
from tests.factories.accounts import AdminFactory
from tests.factories.assets import DAY_ONE, make_assets

URL = "/admin/assets/asset/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(AssetAdmin, "list_per_page", 4)
    make_assets(9, "L.CAS.ATL")
    make_assets(5, "L.CAS.BUS", tags=["wide"])
    make_assets(6, "G.POP.BAS")
    Asset.objects.filter(sequence_number=3).update(deleted_at=DAY_ONE)
    Asset.objects.filter(sequence_number=4).update(curated_at=DAY_ONE)
    Asset.objects.filter(sequence_number__gte=2, layer="L").update(creator_description="A red coat")
    client.force_login(AdminFactory())
    return client


def _node(code: str) -> int:
    return Subcategory.objects.get(code=code, category__code="CAS", category__layer__code="L").pk


def _walk(client: Client, **params: str) -> list[str]:
    page = client.get(URL, params).context_data["cl"]
    shown = []
    for number in page.paginator.page_range:
        rows = client.get(URL, params | {"p": str(number)}).context_data["cl"].result_list
        assert len(rows) == 4 or number == page.paginator.num_pages
        shown += [row.name for row in rows]
    assert page.result_count == len(shown)
    return shown


@pytest.mark.parametrize(
    ("params", "filters"),
    [
        ({}, {"deleted_at": None}),
        ({"layer": "L"}, {"deleted_at": None, "layer": "L"}),
        ({"layer": "L", "tag": ""}, {"deleted_at": None, "layer": "L"}),
        ({"state": "all"}, {}),
        ({"state": "all", "layer": "L"}, {"layer": "L"}),
        ({"state": "deleted"}, {"deleted_at__isnull": False}),
        ({"state": "curated"}, {"deleted_at": None, "curated_at__isnull": False}),
        ({"state": "uncurated"}, {"deleted_at": None, "curated_at": None}),
        ({"tag": "wide"}, {"deleted_at": None, "tags__contains": ["wide"]}),
        ({"tag": "wide", "layer": "L"}, {"deleted_at": None, "tags__contains": ["wide"], "layer": "L"}),
        ({"tag": "wide", "state": "all"}, {"tags__contains": ["wide"]}),
        ({"tag": "wide", "o": "2"}, {"deleted_at": None, "tags__contains": ["wide"]}),
        ({"has_album_art": "no"}, {"deleted_at": None}),
        ({"has_creator_description": "no"}, {"deleted_at": None, "creator_description": None}),
        ({"has_creator_description": "yes"}, {"deleted_at": None, "creator_description__isnull": False}),
        (
            {"creator_description_origin": "person", "layer": "L"},
            {"deleted_at": None, "creator_description__isnull": False, "creator_description_origin": ""},
        ),
        ({"tag": "wide", "layer": "G"}, {"deleted_at": None, "tags__contains": ["wide"], "layer": "G"}),
    ],
)
def test_the_pages_of_a_filter_have_its_assets_once_and_in_order(staff, params, filters):
    rows = Asset.objects.filter(**filters)
    ordered = rows.order_by("name") if "o" in params else rows.newest_first()
    expected = list(ordered.values_list("name", flat=True))
    assert _walk(staff, **params) == expected


def test_a_category_and_a_subcategory_select_their_assets(staff):
    category = Subcategory.objects.get(pk=_node("ATL")).category_id
    names = Asset.objects.live().newest_first().values_list("name", flat=True)
    assert _walk(staff, taxonomy_node__category__id__exact=str(category)) == list(names.filter(layer="L"))
    atl = _walk(staff, taxonomy_node__id__exact=str(_node("ATL")))
    assert atl == list(names.filter(taxonomy_node=_node("ATL")))


@pytest.mark.parametrize(
    ("sort", "order"), [("2", "name"), ("-2", "-name"), ("7", "created_at"), ("-7", "-created_at")]
)
def test_the_pages_of_a_sort_have_all_assets_in_order(staff, sort, order):
    Asset.objects.filter(layer="G").update(created_at=DAY_ONE - timedelta(days=1))
    sign = "-" if order.startswith("-") else ""
    expected = Asset.objects.live().order_by(order, f"{sign}public_id").values_list("name", flat=True)
    assert _walk(staff, o=sort) == list(expected)


def test_the_total_of_a_taxonomy_filter_reads_no_assets(staff):
    with CaptureQueriesContext(connection) as queries:
        staff.get(URL, {"layer": "L"})
    counts = [query["sql"] for query in queries.captured_queries if "count" in query["sql"].lower()]
    assert any("assets_sequencecounter" in sql for sql in counts)
    assert not any("assets_asset" in sql for sql in counts)


def test_the_last_page_is_read_from_the_end_of_an_index(staff):
    with CaptureQueriesContext(connection) as queries:
        staff.get(URL, {"p": "5"})
    keys = next(sql for query in queries.captured_queries if (sql := query["sql"]).startswith("SELECT public_id"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {keys}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan Backward using assets_newest" in plan
    assert "OFFSET 0" in keys


def test_all_states_are_merged_from_two_indexes(staff):
    with CaptureQueriesContext(connection) as queries:
        staff.get(URL, {"state": "all"})
    keys = next(sql for query in queries.captured_queries if "UNION ALL" in (sql := query["sql"]))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {keys}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "assets_newest" in plan
    assert "assets_deleted_newest" in plan
    assert "Merge Append" in plan


def test_a_search_has_all_matches_once_on_its_pages(staff):
    names = set(Asset.objects.live().filter(layer="L").values_list("name", flat=True))
    assert set(_walk(staff, q="cas")) == names
    assert len(_walk(staff, q="cas")) == len(names)
    assert _walk(staff, q="cas", layer="G") == []
    assert set(_walk(staff, q="cas", tag="wide")) == {name for name in names if ".BUS." in name}
    assert _walk(staff, q="cas", o="2") == sorted(names)


def test_a_search_for_a_name_shows_this_asset_first(staff):
    assert _walk(staff, q="L.CAS.ATL.002")[0] == "L.CAS.ATL.002"


def test_a_search_selects_its_matches_for_an_action(staff):
    rows = {"action": "curate", "select_across": "1", "_selected_action": "0"}
    page = staff.post(f"{URL}?q=bus", rows)
    assert "4 assets" in page.content.decode()
