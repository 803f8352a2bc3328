"""How many assets stand under each subcategory: what `taxonomy.usage` asks before a node changes, and for its pages."""

from collections.abc import Mapping

from django.db.models import Count
from django.db.models.functions import Now

from assets.models import Asset, SequenceCounter, SequenceReservation


def assets_by_node() -> Mapping[int, int]:
    """Deleted ones too: they come back under the names they had."""
    return dict(Asset.objects.order_by().values_list("taxonomy_node").annotate(Count("pk")))


def pending_reservations_by_node() -> Mapping[int, int]:
    """Numbers handed out whose asset is still being stored, under the node's codes of this moment."""
    waiting = SequenceReservation.objects.filter(released_at=None, expires_at__gt=Now())
    return dict(waiting.order_by().values_list("taxonomy_node").annotate(Count("pk")))


def live_assets_by_node() -> Mapping[int, int]:
    """What readers see, from the counters."""
    return dict(SequenceCounter.objects.values_list("pk", "live_count"))
