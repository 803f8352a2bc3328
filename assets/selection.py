"""A selection of assets: the rows, the keys of a page in order, and the cheapest exact way to count them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection

from assets.models import Asset
from assets.querysets import AssetQuerySet
from assets.search import Search
from assets.totals import Counters, count_remembered, count_rows, read_counters

NEWEST_FIRST = ("-created_at", "-public_id")
OLDEST_FIRST = ("created_at", "public_id")
_MAX_MERGED_NODES = 32  # more nodes take longer to plan than to read
_LAYER = re.compile("[A-Z]")
_LIVE_COUNT = "SELECT coalesce(sum(live_count), 0) FROM assets_sequencecounter"
_IN_LAYER = """taxonomy_node_id IN (SELECT s.id FROM taxonomy_subcategory s
    JOIN taxonomy_category c ON c.id = s.category_id JOIN taxonomy_layer l ON l.id = c.layer_id WHERE l.code = %s)"""
# With both columns of the index the rows of two tags are merged in the order of the list.
_HAS_TAG = """EXISTS (SELECT FROM assets_tagged other
    WHERE other.tag = %s AND other.created_at = tagged.created_at AND other.public_id = tagged.public_id)"""

SqlWithParams = tuple[str, list[Any]]


@dataclass(frozen=True)
class TaxonomyScope:
    """All assets, the assets of a layer, or those of the nodes `node_pks`, which take precedence over the layer."""

    layer: str | None = None
    node_pks: Sequence[int] | None = None

    def as_sql(self) -> SqlWithParams:
        if self.node_pks is not None:
            return "taxonomy_node_id = ANY(%s)", [list(self.node_pks)]
        return ("layer = %s", [self.layer]) if self.layer is not None else ("true", [])

    def filter(self, assets: AssetQuerySet) -> AssetQuerySet:
        if self.node_pks is not None:
            return assets.filter(taxonomy_node__in=self.node_pks)
        return assets.filter(layer=self.layer) if self.layer is not None else assets

    def sorted_keys_sql(self, order: Sequence[str]) -> SqlWithParams:
        """Return SQL for the public ids of all live assets in `order`, to which a LIMIT can be appended.

        The index of a node is sorted within the node only, so the sorted keys of several nodes are merged.
        """
        order_by = order_sql(order)
        live = f"SELECT public_id FROM assets_asset WHERE deleted_at IS NULL AND {{}} {order_by}"  # noqa: S608
        if self.node_pks is None:
            condition, params = self.as_sql()
            if order[0].lstrip("-") == "name" and self.layer is not None and _LAYER.fullmatch(self.layer):
                # A name starts with its layer, so the names of a layer are one range of their index.
                condition, params = "name >= %s AND name < %s", [self.layer, chr(ord(self.layer) + 1)]
            return live.format(condition), params
        if len(self.node_pks) == 1:
            return live.format("taxonomy_node_id = %s"), list(self.node_pks)
        if not 1 < len(self.node_pks) <= _MAX_MERGED_NODES:
            return live.format("taxonomy_node_id = ANY(%s)"), [list(self.node_pks)]
        columns = ", ".join(name.lstrip("-") for name in order)
        of_node = f"(SELECT {columns} FROM assets_asset WHERE deleted_at IS NULL AND taxonomy_node_id = %s {order_by})"  # noqa: S608
        merged = " UNION ALL ".join([of_node] * len(self.node_pks))
        return f"SELECT public_id FROM ({merged}) AS merged {order_by}", list(self.node_pks)  # noqa: S608

    def tagged_keys_sql(self, tags: Sequence[str]) -> SqlWithParams:
        """Return SQL for the public ids of the live assets that have all of the tags; it may be sorted by date."""
        conditions, params = ["tagged.tag = %s", *[_HAS_TAG] * (len(tags) - 1)], [*tags]
        if self.node_pks is not None:
            conditions.append("taxonomy_node_id = ANY(%s)")
            params.append(list(self.node_pks))
        elif self.layer is not None:
            conditions.append(_IN_LAYER)
            params.append(self.layer)
        return f"SELECT public_id FROM assets_tagged tagged WHERE {' AND '.join(conditions)}", params  # noqa: S608

    def live_count(self) -> int:
        """Count live assets from the sequence counters: at most one row per subcategory is read."""
        with connection.cursor() as cursor:
            if self.node_pks is not None:
                cursor.execute(f"{_LIVE_COUNT} WHERE taxonomy_node_id = ANY(%s)", [list(self.node_pks)])
            elif self.layer is not None:
                cursor.execute(f"{_LIVE_COUNT} WHERE {_IN_LAYER}", [self.layer])
            else:
                cursor.execute(_LIVE_COUNT)
            return cursor.fetchone()[0]


ALL_ASSETS = TaxonomyScope()


@dataclass(frozen=True)
class AssetSelection:
    """Live assets of `scope` that match `search`. Without `order`: the best matches first, or else the newest first.

    `order` ends with a unique column, so that each asset has one position. `filtered` replaces the live assets of the
    scope: the caller filtered them, or included deleted assets; `counters` may then hold their total. `tags`, of which
    an asset must have all, are for a selection without search and filters that is sorted by date.
    """

    scope: TaxonomyScope = ALL_ASSETS
    search: Search | None = None
    order: tuple[str, ...] | None = None
    filtered: AssetQuerySet | None = None
    tags: tuple[str, ...] = ()
    counters: Counters | None = None

    @property
    def is_plain(self) -> bool:
        """True without filters and with the default order: fixed SQL statements read such a selection."""
        return self.filtered is None and self.order is None

    def queryset(self) -> AssetQuerySet:
        """Return the assets before the search: `search_pages` reads the pages of a search."""
        assets = self.scope.filter(Asset.objects.live()) if self.filtered is None else self.filtered
        if self.tags:
            assets = assets.filter(tags__contains=list(self.tags))
        return assets.order_by(*(self.order or NEWEST_FIRST))

    def keys_sql(self, *, start: int, limit: int, is_from_end: bool = False) -> SqlWithParams:
        """Return SQL for the public ids at `start` and after it, without a search.

        `is_from_end` counts from the last asset and returns the keys in the opposite order. The statement reads an
        index alone where one holds the filter, the order and the public id.
        """
        order = self.order or NEWEST_FIRST
        if is_from_end:
            order = tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)
        if self.tags:
            tagged, params = self.scope.tagged_keys_sql(self.tags)
            return f"{tagged} {order_sql(order)} LIMIT %s OFFSET %s", [*params, limit, start]
        if self.filtered is None:
            sql, params = self.scope.sorted_keys_sql(order)
            return f"{sql} LIMIT %s OFFSET %s", [*params, limit, start]
        keys = self.filtered.order_by(*order).values_list("public_id")[start : start + limit]
        try:
            sql, filter_params = keys.query.sql_with_params()
        except EmptyResultSet:  # filters that no row can match
            return "SELECT NULL::text LIMIT 0", []
        return sql, list(filter_params)

    def count(self) -> int:
        """Count all assets of the selection before the search.

        Lists without filters, with one tag, and with one filter that has counters read these. Other totals are
        remembered while no asset changes.
        """
        if self.counters:
            counted = read_counters(self.counters.names)
            return ALL_ASSETS.live_count() - counted if self.counters.is_rest else counted
        if len(self.tags) == 1 and self.scope == ALL_ASSETS:
            return read_counters([f"tag {self.tags[0]}"])
        if self.tags:
            return count_remembered(*self.scope.tagged_keys_sql(self.tags))
        if self.filtered is None:
            return self.scope.live_count()
        return count_rows(self.queryset())


def order_sql(order: Sequence[str]) -> str:
    """Return ORDER BY for names of columns with an optional `-`, as in `QuerySet.order_by`."""
    return "ORDER BY " + ", ".join(f"{name[1:]} DESC" if name.startswith("-") else name for name in order)
