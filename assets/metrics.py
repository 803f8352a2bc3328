"""Metrics of assets and the activity log, computed from existing rows."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, FloatField, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from api.pagination import PageParams
from assets.models import Asset, SequenceCounter
from assets.totals import read_counters, read_remembered
from backfills.rules import ORIGIN
from common.timestamps import format_timestamp

_ACTIONS = {"+": "created", "~": "changed", "-": "removed"}


def asset_metrics(now: datetime) -> dict[str, Any]:
    """Return {total, todayUploads, weeklyUploads, byLayer} of live assets."""
    by_layer = dict(
        SequenceCounter.objects.filter(live_count__gt=0)
        .values_list("taxonomy_node__category__layer__code")
        .annotate(Sum("live_count"))
    )
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    live = Asset.objects.live()
    return {
        "total": sum(by_layer.values()),
        "todayUploads": live.filter(created_at__gte=midnight).count(),
        "weeklyUploads": live.filter(created_at__gte=now - timedelta(days=7)).count(),
        "byLayer": by_layer,
    }


def field_metrics(now: datetime) -> dict[str, Any]:
    """Count live assets by the origin of each new field; the mean confidence covers generated values only.

    `now` is unused: all sources of metrics take it. Result: {assets, creatorDescription: {person, backfill, none},
    aiMetadata: {measured, backfill, none, confidenceMean}}.
    """
    live = Asset.objects.live()
    by_origin = live.filter(ai_metadata__isnull=False).order_by().values_list("ai_metadata_origin")
    metadata = dict(by_origin.annotate(Count("pk")))  # reads a partial index
    measured, backfilled_metadata = metadata.get("", 0), sum(count for origin, count in metadata.items() if origin)
    person, backfilled = (read_counters([f"creator_description {origin}"]) for origin in ("", ORIGIN))
    total = SequenceCounter.objects.aggregate(total=Sum("live_count"))["total"] or 0
    generated = live.with_generated_ai_metadata().filter(ai_metadata__confidence__gte=0).order_by()
    confidence = generated.values(confidence=Cast(KeyTextTransform("confidence", "ai_metadata"), FloatField()))
    # Reads each of these rows, about 2 s for a million. So the mean is remembered while no asset changes.
    mean = read_remembered("avg(confidence)", *confidence.query.sql_with_params())
    return {
        "assets": total,
        "creatorDescription": {
            "person": person,
            "backfill": backfilled,
            "none": total - person - backfilled,
        },
        "aiMetadata": {
            "measured": measured,
            "backfill": backfilled_metadata,
            "none": total - measured - backfilled_metadata,
            "confidenceMean": mean,
        },
    }


def recent_activity(page: PageParams) -> tuple[list[dict[str, Any]], int]:
    """Return a page of asset changes, newest first ({id, action, asset, by, at, reason}), and the total."""
    rows = Asset.history.order_by("-history_date", "-history_id").values_list(
        "history_id", "history_type", "name", "history_user__email", "history_date", "history_change_reason"
    )
    events = [
        {
            "id": str(pk),
            "action": _ACTIONS[kind],
            "asset": name,
            "by": email,
            "at": format_timestamp(at),
            "reason": reason,
        }
        for pk, kind, name, email, at, reason in rows[page.offset : page.offset + page.limit]
    ]
    return events, Asset.history.count()
