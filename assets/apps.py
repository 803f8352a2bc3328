from collections.abc import Mapping

from django.apps import AppConfig


class AssetsConfig(AppConfig):
    name = "assets"
    verbose_name = "Registry"

    def ready(self) -> None:
        from taxonomy.usage import register_usage

        register_usage(_assets_by_node)


def _assets_by_node() -> Mapping[int, int]:
    """Assets under each subcategory, deleted ones too: they come back under the names they had."""
    from django.db.models import Count

    from assets.models import Asset

    return dict(Asset.objects.order_by().values_list("taxonomy_node").annotate(Count("pk")))
