from collections.abc import Mapping

from django.apps import AppConfig


class AssetsConfig(AppConfig):
    name = "assets"
    verbose_name = "Registry"

    def ready(self) -> None:
        from taxonomy.usage import register_live_usage, register_usage

        register_usage(_assets_by_node)
        register_usage(_numbers_on_their_way)
        register_live_usage(_live_assets_by_node)


def _assets_by_node() -> Mapping[int, int]:
    """Assets under each subcategory, deleted ones too: they come back under the names they had."""
    from django.db.models import Count

    from assets.models import Asset

    return dict(Asset.objects.order_by().values_list("taxonomy_node").annotate(Count("pk")))


def _numbers_on_their_way() -> Mapping[int, int]:
    """Numbers handed out whose asset is still being stored, under the node's codes of this moment."""
    from django.db.models import Count
    from django.db.models.functions import Now

    from assets.models import SequenceReservation

    waiting = SequenceReservation.objects.filter(lapsed_at=None, expires_at__gt=Now())
    return dict(waiting.order_by().values_list("taxonomy_node").annotate(Count("pk")))


def _live_assets_by_node() -> Mapping[int, int]:
    from assets.models import SequenceCounter

    return dict(SequenceCounter.objects.values_list("pk", "live_count"))
