"""A selection of assets: the rows, their order, and the cheapest exact way to count them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from assets.models import Asset
from assets.querysets import AssetQuerySet
from assets.search import Search

_LIVE_COUNT = "SELECT coalesce(sum(live_count), 0) FROM assets_sequencecounter"
_LIVE_COUNT_OF_LAYER = f"""{_LIVE_COUNT} JOIN taxonomy_subcategory s ON s.id = taxonomy_node_id
    JOIN taxonomy_category c ON c.id = s.category_id JOIN taxonomy_layer l ON l.id = c.layer_id WHERE l.code = %s"""


@dataclass(frozen=True)
class TaxonomyScope:
    """All assets, the assets of a layer, or those of the nodes `node_pks`, which take precedence over the layer."""

    layer: str | None = None
    node_pks: Sequence[int] | None = None

    def as_sql(self) -> tuple[str, list[Any]]:
        if self.node_pks is not None:
            return "taxonomy_node_id = ANY(%s)", [list(self.node_pks)]
        return ("layer = %s", [self.layer]) if self.layer is not None else ("true", [])

    def filter(self, assets: AssetQuerySet) -> AssetQuerySet:
        if self.node_pks is not None:
            return assets.filter(taxonomy_node__in=self.node_pks)
        return assets.filter(layer=self.layer) if self.layer is not None else assets

    def live_count(self) -> int:
        """Count live assets from the sequence counters: at most one row per subcategory is read."""
        with connection.cursor() as cursor:
            if self.node_pks is not None:
                cursor.execute(f"{_LIVE_COUNT} WHERE taxonomy_node_id = ANY(%s)", [list(self.node_pks)])
            elif self.layer is not None:
                cursor.execute(_LIVE_COUNT_OF_LAYER, [self.layer])
            else:
                cursor.execute(_LIVE_COUNT)
            return cursor.fetchone()[0]


ALL_ASSETS = TaxonomyScope()


@dataclass(frozen=True)
class AssetSelection:
    """Live assets of `scope` that match `search`. Without `order`: the best matches first, or else the newest first.

    `filtered` replaces the live assets of the scope: the caller filtered them, or included deleted assets.
    """

    scope: TaxonomyScope = ALL_ASSETS
    search: Search | None = None
    order: tuple[str, ...] | None = None
    filtered: AssetQuerySet | None = None

    @property
    def is_plain(self) -> bool:
        """True without filters and with the default order: fixed SQL statements read such a selection."""
        return self.filtered is None and self.order is None

    def queryset(self) -> AssetQuerySet:
        assets = self.scope.filter(Asset.objects.live()) if self.filtered is None else self.filtered
        if self.search is not None:
            assets = assets.filter(self.search.condition)
        if self.order:
            return assets.order_by(*self.order)
        return assets.order_by(self.search.rank, "-created_at", "-public_id") if self.search else assets.newest_first()

    def count(self) -> int:
        if self.search is None and self.filtered is None:
            return self.scope.live_count()
        return self.queryset().count()
