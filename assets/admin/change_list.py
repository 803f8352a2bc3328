"""The list of assets: its pages and counts are read by the indexes and counters that the API uses."""

from typing import Any

from django.contrib.admin.views.main import IGNORED_PARAMS, PAGE_VAR, SEARCH_VAR
from django.db import connection
from django.http import QueryDict

from assets.admin.filters import DESCRIPTION_ORIGINS
from assets.querysets import AssetQuerySet
from assets.selection import NEWEST_FIRST, OLDEST_FIRST, AssetSelection, TaxonomyScope
from assets.totals import Counters
from common.change_list import BaseChangeList, KeyPaginator
from taxonomy.models import Subcategory

TAG, ALBUM_ART = "tag", "has_album_art"


class AssetChangeList(BaseChangeList):
    def get_ordering(self, request: Any, queryset: Any) -> list[Any]:
        """Sort as an index does: by the unique name alone, or by date and public id in one direction."""
        first = str(super().get_ordering(request, queryset)[0])
        if first.endswith("name"):
            return [first]
        return list(NEWEST_FIRST if first.startswith("-") else OLDEST_FIRST)


class AssetPaginator(KeyPaginator):
    """Pages of `selection`. Without it, of a search. `has_deleted`: deleted assets are shown too."""

    key = "public_id"

    def __init__(self, *args: Any, selection: AssetSelection | None, has_deleted: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.selection = selection
        self.has_deleted = has_deleted

    def read_count(self) -> int:
        return super().read_count() if self.selection is None else self.selection.count()

    def read_keys(self, start: int, limit: int, *, is_from_end: bool) -> list[Any]:
        if self.selection is None:
            return super().read_keys(start, limit, is_from_end=is_from_end)
        if self.has_deleted and self.selection.order == NEWEST_FIRST:
            return self._merged_keys(start, limit, is_from_end=is_from_end)
        sql, params = self.selection.keys_sql(start=start, limit=limit, is_from_end=is_from_end)
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return [key for (key,) in cursor.fetchall()]

    def _merged_keys(self, start: int, limit: int, *, is_from_end: bool) -> list[Any]:
        """Merge the live and the deleted assets, which have an index each. Each is sorted, or all would be sorted."""
        rows: Any = self.object_list
        order = OLDEST_FIRST if is_from_end else NEWEST_FIRST
        parts = [part.order_by(*order).values_list("created_at", "public_id") for part in (rows.live(), rows.deleted())]
        merged = parts[0].union(parts[1], all=True).order_by(*order)
        return [public_id for _, public_id in merged[start : start + limit]]


def select_assets(params: QueryDict, rows: AssetQuerySet) -> AssetSelection | None:
    """Return the selection of the list with the query `params`, whose filters gave `rows`.

    None for a search, and for a filter by other tables, whose changes the remembered totals do not notice.
    """
    given = {name: value for name, value in params.items() if value and name not in (*IGNORED_PARAMS, PAGE_VAR)}
    if params.get(SEARCH_VAR, "").strip() or ALBUM_ART in given:
        return None
    order = tuple(rows.query.order_by)
    if all(len(params.getlist(name)) == 1 for name in given):
        tag = given.pop(TAG, "")
        scope = _scope(given)
        if scope is not None and (not tag or order in (NEWEST_FIRST, OLDEST_FIRST)):
            return AssetSelection(scope=scope, order=order, tags=(tag,) if tag else ())
        return AssetSelection(filtered=rows, order=order, counters=None if tag else _counters(given))
    return AssetSelection(filtered=rows, order=order)


def _scope(filters: dict[str, str]) -> TaxonomyScope | None:
    """Return the scope of a list of live assets without other filters."""
    match list(filters.items()):
        case []:
            return TaxonomyScope()
        case [("layer", layer)]:
            return TaxonomyScope(layer=layer)
        case [("taxonomy_node__id__exact", pk)]:
            return TaxonomyScope(node_pks=[int(pk)])
        case [("taxonomy_node__category__id__exact", pk)]:
            nodes = Subcategory.objects.filter(category=int(pk))
            return TaxonomyScope(node_pks=list(nodes.values_list("pk", flat=True)))
    return None


def _counters(filters: dict[str, str]) -> Counters | None:
    """Return the counters of the total of a list of live assets without other filters."""
    match list(filters.items()):
        case [("state", "curated" | "uncurated" as state)]:
            return Counters(("curated",), is_rest=state == "uncurated")
        case [("has_creator_description", "yes" | "no" as answer)]:
            names = (f"creator_description {origin}" for origin in DESCRIPTION_ORIGINS.values())
            return Counters(tuple(names), is_rest=answer == "no")
        case [("creator_description_origin", name)] if name in DESCRIPTION_ORIGINS:
            return Counters((f"creator_description {DESCRIPTION_ORIGINS[name]}",))
    return None
