"""Triggers count the live assets of each subcategory, without deadlocks between statements over many subcategories."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from assets.models import Asset, SequenceCounter
from assets.sequences import ensure_counters_at_least
from taxonomy.models import Subcategory
from taxonomy.snapshot import TaxonomySnapshot
from tests.factories.assets import make_assets
from tests.factories.taxonomy import load_starter_taxonomy

WRITERS = 8


def counted() -> dict[int, int]:
    return dict(Asset.objects.live().order_by().values_list("taxonomy_node").annotate(Count("pk")))


def stored() -> dict[int, int]:
    return dict(SequenceCounter.objects.filter(live_count__gt=0).values_list("pk", "live_count"))


def insert_copies(assets: list[Asset]) -> None:
    """Insert the rows of deleted assets again."""
    for asset in assets:
        asset.pk = None
    Asset.objects.bulk_create(assets)


def paths(count: int) -> list[str]:
    nodes = Subcategory.objects.order_by("pk").select_related("category__layer")[:count]
    return [f"{node.category.layer.code}.{node.category.code}.{node.code}" for node in nodes]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_counters_equal_counts_after_random_statements(taxonomy: TaxonomySnapshot, seed: int) -> None:
    rng = random.Random(seed)
    for path in paths(6):
        make_assets(rng.randint(1, 4), path)
    nodes = list(Subcategory.objects.order_by("pk").values_list("pk", flat=True)[:9])  # three of them without a counter
    for _ in range(25):
        pks = list(Asset.objects.values_list("pk", flat=True))
        some = Asset.objects.filter(pk__in=rng.sample(pks, rng.randint(0, len(pks) // 2)))
        action = rng.choice(("hide", "show", "move", "delete", "replace", "touch"))
        if action == "hide":
            some.update(deleted_at=timezone.now())
        elif action == "show":
            some.update(deleted_at=None)
        elif action == "move":
            with connection.cursor() as cursor:  # numbers stay unique: each asset gets one of its own
                cursor.execute(
                    "UPDATE assets_asset SET taxonomy_node_id = %s, sequence_number = 100000 + id,"
                    " name = split_part(name, '.', 1) || '.AAA.AAA.' || 100000 + id WHERE id = ANY(%s)",
                    [rng.choice(nodes), list(some.values_list("pk", flat=True))],
                )
        elif action == "touch":
            some.update(revision=1)
        else:
            copies = list(some)
            some._raw_delete(some.db)
            if action == "replace":
                insert_copies(copies)
        assert stored() == counted(), action


@pytest.mark.django_db(transaction=True)
def test_concurrent_statements_over_many_subcategories_do_not_deadlock() -> None:
    load_starter_taxonomy()
    places = paths(40)
    owned: list[list[Asset]] = [[] for _ in range(WRITERS)]
    for path in places:
        for assets, asset in zip(owned, make_assets(WRITERS, path), strict=True):
            assets.append(asset)
    SequenceCounter.objects.filter(pk__in=SequenceCounter.objects.order_by("?")[:10]).update(last_number=99)
    ready = threading.Barrier(WRITERS)

    def write(position: int) -> None:
        rng, assets = random.Random(position), owned[position]
        try:
            ready.wait(timeout=60)
            for _ in range(6):
                own = Asset.objects.filter(pk__in=[asset.pk for asset in assets])
                own.update(deleted_at=timezone.now())
                own.update(deleted_at=None)
                own._raw_delete(own.db)
                rng.shuffle(assets)
                insert_copies(assets)
                ensure_counters_at_least({asset.taxonomy_node_id: 100 for asset in assets})
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))  # raises what a writer raised, such as a deadlock
    assert stored() == counted()
    assert sum(stored().values()) == WRITERS * len(places)


@pytest.mark.django_db
def test_one_statement_updates_each_counter_once(taxonomy: TaxonomySnapshot) -> None:
    for path in paths(3):
        make_assets(4, path)

    def versions() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(n_tup_upd) FROM pg_stat_xact_user_tables WHERE relname = 'assets_sequencecounter'"
            )
            return cursor.fetchone()

    before = versions()
    Asset.objects.update(deleted_at=timezone.now())
    assert versions()[0] - before[0] == 3
    Asset.objects.update(revision=5)
    assert versions()[0] - before[0] == 3
