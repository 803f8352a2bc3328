"""Counters of lists and remembered totals equal the counts of rows after any writes."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from assets.consistency import check_consistency, repair_counters
from assets.models import Asset
from assets.totals import count_rows, read_counters
from taxonomy.snapshot import TaxonomySnapshot
from tests.factories.assets import DAY_ONE, make_asset, make_assets

pytestmark = pytest.mark.django_db
TAGS = ("red", "blue", "green", "odd")


def assert_counters_agree() -> None:
    expected: Counter[str] = Counter()
    tagged = set()
    for asset in Asset.objects.filter(deleted_at=None):
        expected.update(f"tag {tag}" for tag in set(asset.tags))
        expected["curated"] += asset.curated_at is not None
        expected["album_art"] += asset.album_art is not None
        if asset.creator_description is not None:
            expected[f"creator_description {asset.creator_description_origin}"] += 1
        tagged |= {(tag, asset.created_at, asset.public_id, asset.taxonomy_node_id) for tag in asset.tags}
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sum(delta) FROM assets_counter GROUP BY name HAVING sum(delta) <> 0")
        assert dict(cursor.fetchall()) == +expected
        cursor.execute("SELECT tag, created_at, public_id, taxonomy_node_id FROM assets_tagged")
        rows = cursor.fetchall()
    assert len(rows) == len(tagged)
    assert set(rows) == tagged
    assert read_counters(["tag red", "tag blue"]) == expected["tag red"] + expected["tag blue"]


def write_something(rng: random.Random, number: int) -> None:
    some = Asset.objects.filter(pk__in=rng.sample(list(Asset.objects.values_list("pk", flat=True)), k=4)).order_by("pk")
    match rng.randrange(8):
        case 0:
            make_assets(rng.randint(1, 5), "L.CAS.ATL", tags=rng.sample(TAGS, 2), album_art="https://x.example/a.jpg")
        case 1:
            some.update(tags=rng.choices(TAGS, k=3))  # perhaps a tag twice
        case 2:
            some.update(deleted_at=DAY_ONE)
        case 3:
            some.update(deleted_at=None)
        case 4:
            some.update(creator_description=f"dress {number}", creator_description_origin=rng.choice(["", "backfill"]))
        case 5:
            some.update(creator_description=None, creator_description_origin="", album_art=None)
        case 6:
            some.update(created_at=DAY_ONE + timedelta(days=number), curated_at=rng.choice([None, DAY_ONE]))
        case 7:
            some[0].delete()


@pytest.mark.parametrize("seed", range(4))
def test_counters_equal_the_counts_after_random_writes(taxonomy: TaxonomySnapshot, seed: int) -> None:
    rng = random.Random(seed)
    make_assets(10, "L.CAS.ATL", tags=["red", "odd"])
    for number in range(60):
        if number % 7 == 3:
            with transaction.atomic():
                write_something(rng, number)
                transaction.set_rollback(True)
        else:
            write_something(rng, number)
    assert_counters_agree()


def test_wrong_counters_are_found_and_repaired(taxonomy: TaxonomySnapshot) -> None:
    make_assets(3, "L.CAS.ATL", tags=["red", "blue"], curated_at=DAY_ONE)
    assert not check_consistency(taxonomy).list_counters
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM assets_counter WHERE name = 'curated'")
        cursor.execute("DELETE FROM assets_tagged WHERE tag = 'red'")
    assert check_consistency(taxonomy).list_counters == [
        "curated: the counter has 0 live assets, the list 0, the table 3",
        "tag red: the counter has 3 live assets, the list 0, the table 3",
    ]
    assert repair_counters() == 2
    assert not check_consistency(taxonomy).list_counters
    assert_counters_agree()


def test_a_statement_adds_one_row_for_each_counter(taxonomy: TaxonomySnapshot) -> None:
    make_assets(40, "L.CAS.ATL", tags=["red", "blue"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, delta FROM assets_counter ORDER BY name")
        assert cursor.fetchall() == [("tag blue", 40), ("tag red", 40)]


def test_rows_of_counters_and_writes_are_merged(taxonomy: TaxonomySnapshot) -> None:
    asset = make_asset("L.CAS.ATL", tags=["red"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")  # the triggers merge in one of fifty statements, by chance
        for _ in range(150):
            Asset.objects.filter(pk=asset.pk).update(tags=["blue"])
            Asset.objects.filter(pk=asset.pk).update(tags=["red"])
        cursor.execute("SELECT count(*) FROM assets_counter")
        assert cursor.fetchone()[0] < 400  # of 601 without merging
        cursor.execute("SELECT count(*) FROM assets_write")
        assert cursor.fetchone()[0] <= 50
    assert_counters_agree()


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_neither_wait_for_each_other_nor_lose_counts(taxonomy: TaxonomySnapshot) -> None:
    """Each transaction writes the tags in another order, which locks on counters would turn into deadlocks."""
    assets = {worker: make_assets(3, f"L.CAS.{code}", tags=[]) for worker, code in enumerate(("ATL", "DNM", "STR"))}

    def write(worker: int) -> None:
        rng = random.Random(worker)
        try:
            for _ in range(40):
                with transaction.atomic():
                    for asset in rng.sample(assets[worker], 3):
                        Asset.objects.filter(pk=asset.pk).update(tags=rng.sample(TAGS, 2))
                    if rng.random() < 0.2:
                        transaction.set_rollback(True)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, assets))
    assert_counters_agree()


@pytest.mark.django_db(transaction=True)
def test_an_open_transaction_blocks_no_writer_of_the_same_tag(taxonomy: TaxonomySnapshot) -> None:
    first, second = make_assets(2, "L.CAS.ATL", tags=[])

    def write_second() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        Asset.objects.filter(pk=second.pk).update(tags=["red"])
        connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Asset.objects.filter(pk=first.pk).update(tags=["red"])
        pool.submit(write_second).result()
    assert read_counters(["tag red"]) == 2


def test_a_total_is_counted_once_while_no_asset_changes(taxonomy: TaxonomySnapshot) -> None:
    make_assets(5, "L.CAS.ATL")
    asset = make_asset("L.CAS.DNM")
    described = Asset.objects.live().filter(description__startswith="Asset")

    def count() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            total = count_rows(described)
        return total, len(captured)

    assert count() == (6, 2)
    assert count() == (6, 1)
    with transaction.atomic():
        Asset.objects.filter(pk=asset.pk).update(description="changed")
        assert count() == (5, 2)
        transaction.set_rollback(True)
    assert count()[0] == 6
    Asset.objects.filter(pk=asset.pk).update(deleted_at=DAY_ONE)
    assert count() == (5, 2)
    assert count_rows(Asset.objects.none()) == 0
