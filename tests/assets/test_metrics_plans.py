"""Metrics of fields and checks before a rollout read partial indexes and counters, not all assets."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assets.metrics import field_metrics
from assets.models import Asset
from assets.rollout_guards import ai_metadata_backfill_pending, creator_description_backfill_pending
from flags.rollout import list_rollouts
from tests.factories.assets import make_assets

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled() -> None:
    make_assets(
        300, creator_description="x", creator_description_origin="backfill", ai_metadata={"mood": "calm"},
        ai_metadata_origin="backfill", origin="import",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE assets_asset")
        cursor.execute("SET LOCAL enable_seqscan = off")  # the table is small


def plans_of(call: Any) -> list[str]:
    """Return the plans of the queries that read the asset table."""
    with CaptureQueriesContext(connection) as captured:
        call()
    plans = []
    with connection.cursor() as cursor:
        for query in captured:
            if '"assets_asset"' in query["sql"]:
                cursor.execute(f"EXPLAIN (COSTS OFF) {query['sql']}")
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return plans


def test_a_check_before_a_rollout_reads_only_assets_without_a_value(filled: None) -> None:
    for check, index in (
        (creator_description_backfill_pending, "assets_lacking_description"),
        (ai_metadata_backfill_pending, "assets_lacking_ai_metadata"),
    ):
        [plan] = plans_of(check)
        assert index in plan, plan


def test_the_metrics_of_fields_count_from_partial_indexes(filled: None) -> None:
    plans = plans_of(lambda: field_metrics(timezone.now()))
    assert len(plans) == 2
    assert all("assets_ai_metadata_origin" in plan for plan in plans), plans


def test_the_number_of_queries_does_not_grow_with_the_assets(filled: None) -> None:
    def queries() -> tuple[int, int]:
        counts = []
        for call in (lambda: field_metrics(timezone.now()), list_rollouts):
            with CaptureQueriesContext(connection) as captured:
                call()
            counts.append(len(captured))
        return counts[0], counts[1]

    before = queries()
    make_assets(200, "S.POP.DIV", origin="import", creator_description="y", ai_metadata={"confidence": 0.5})
    assert queries() == before
    assert field_metrics(timezone.now())["assets"] == Asset.objects.count() == 500
