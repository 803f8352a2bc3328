"""Counts of assets per subcategory, for `taxonomy.usage`: a used node must not be removed or renumbered."""

from collections.abc import Mapping

from django.db.models import Count
from django.db.models.functions import Now

from assets.models import Asset, SequenceCounter, SequenceReservation


def assets_by_node() -> Mapping[int, int]:
    """Include deleted assets: they are restored under the same names."""
    return dict(Asset.objects.order_by().values_list("taxonomy_node").annotate(Count("pk")))


def pending_reservations_by_node() -> Mapping[int, int]:
    """Count reserved numbers whose asset is not stored yet; the asset will have the node's current codes."""
    pending = SequenceReservation.objects.filter(released_at=None, expires_at__gt=Now())
    return dict(pending.order_by().values_list("taxonomy_node").annotate(Count("pk")))


def live_assets_by_node() -> Mapping[int, int]:
    """Read the counts of live assets from the sequence counters."""
    return dict(SequenceCounter.objects.values_list("pk", "live_count"))
