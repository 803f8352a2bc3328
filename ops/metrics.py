"""Figures and events for operators, from rows that are there anyway."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Avg, Count, FloatField, Q, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from accounts.models import User
from api.pagination import PageParams
from assets.models import Asset, SequenceCounter
from common.timestamps import format_timestamp

_VERBS = {"+": "created", "~": "changed", "-": "removed"}


def usage_metrics(now: datetime) -> dict[str, Any]:
    """{usage: {assets: {total, todayUploads, weeklyUploads, byLayer}, users: {total, active}}, system: {...}}."""
    by_layer = dict(
        SequenceCounter.objects.filter(live_count__gt=0)
        .values_list("taxonomy_node__category__layer__code")
        .annotate(Sum("live_count"))
    )
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    live = Asset.objects.live()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        database_bytes = cursor.fetchone()[0]
    people = dict(User.objects.order_by().values_list("is_active").annotate(Count("pk")))
    return {
        "usage": {
            "assets": {
                "total": sum(by_layer.values()),
                "todayUploads": live.filter(created_at__gte=midnight).count(),
                "weeklyUploads": live.filter(created_at__gte=now - timedelta(days=7)).count(),
                "byLayer": by_layer,
            },
            "users": {"total": sum(people.values()), "active": people.get(True, 0)},
        },
        "system": {"databaseBytes": database_bytes, "timestamp": format_timestamp(now)},
    }


def field_metrics() -> dict[str, Any]:
    """How far the new fields are filled among live assets, and by whom; numbers of models from measurements alone.

    {assets, creatorDescription: {person, backfill, none}, aiMetadata: {measured, backfill, none, confidenceMean}}.
    """
    live = Asset.objects.live()
    words = Q(creator_description__isnull=False)
    metadata = Q(ai_metadata__isnull=False)
    counts = live.aggregate(
        assets=Count("pk"),
        person=Count("pk", filter=words & Q(creator_description_origin="")),
        filled=Count("pk", filter=words & ~Q(creator_description_origin="")),
        measured=Count("pk", filter=metadata & Q(ai_metadata_origin="")),
        legacy=Count("pk", filter=metadata & ~Q(ai_metadata_origin="")),
    )
    confidence = live.with_generated_ai_metadata().filter(ai_metadata__confidence__gte=0)
    mean = confidence.aggregate(mean=Avg(Cast(KeyTextTransform("confidence", "ai_metadata"), FloatField())))["mean"]
    total = counts["assets"]
    return {
        "assets": total,
        "creatorDescription": {
            "person": counts["person"],
            "backfill": counts["filled"],
            "none": total - counts["person"] - counts["filled"],
        },
        "aiMetadata": {
            "measured": counts["measured"],
            "backfill": counts["legacy"],
            "none": total - counts["measured"] - counts["legacy"],
            "confidenceMean": mean,
        },
    }


def recent_activity(wish: PageParams) -> tuple[list[dict[str, Any]], int]:
    """(changes of assets, the newest first, how many there are). Each: {id, action, asset, by, at, reason}."""
    rows = Asset.history.order_by("-history_date", "-history_id").values_list(
        "history_id", "history_type", "name", "history_user__email", "history_date", "history_change_reason"
    )
    events = [
        {
            "id": str(pk),
            "action": _VERBS[kind],
            "asset": name,
            "by": email,
            "at": format_timestamp(at),
            "reason": reason,
        }
        for pk, kind, name, email, at, reason in rows[wish.offset : wish.offset + wish.limit]
    ]
    return events, Asset.history.count()
