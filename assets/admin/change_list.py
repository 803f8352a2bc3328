"""The list of assets: its pages and counts are read by the indexes and counters that the API uses."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import IGNORED_PARAMS, ORDER_VAR, PAGE_VAR
from django.core.paginator import Page
from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property

from assets.admin.filters import DESCRIPTION_ORIGINS
from assets.querysets import AssetQuerySet
from assets.search import Search
from assets.search_pages import find_page
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

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page and self.paginator.is_search:
            self.result_list = self.paginator.page(1).object_list  # in the order of the ranks


class AssetPaginator(KeyPaginator):
    """Pages of `selection`. Without it, of a search. `has_deleted`: deleted assets are shown too."""

    key = "public_id"

    def __init__(self, *args: Any, selection: AssetSelection | None, has_deleted: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.selection = selection
        self.has_deleted = has_deleted

    @property
    def is_search(self) -> bool:
        return self.selection is not None and self.selection.search is not None

    @cached_property
    def first_matches(self) -> tuple[list[int], int]:
        """The primary keys of the first page of the search, and the number of all matches."""
        return find_page(self.selection, limit=self.per_page, offset=0)

    def page(self, number: int | str) -> Page:
        if not self.is_search:
            return super().page(number)
        valid = self.validate_number(number)
        start = (valid - 1) * self.per_page
        pks, _ = self.first_matches if start == 0 else find_page(self.selection, limit=self.per_page, offset=start)
        rows: Any = self.object_list
        found = rows.model._default_manager.defer(*rows.query.deferred_loading[0]).in_bulk(pks)
        return self._get_page([found[pk] for pk in pks if pk in found], valid, self)

    def read_count(self) -> int:
        if self.is_search:
            return self.first_matches[1]
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


@dataclass(frozen=True)
class SearchedAssets:
    """A search, and the assets before it."""

    search: Search
    rows: AssetQuerySet


def has_matches(search: Search) -> RawSQL:
    """Return the filter of a queryset for the assets that match, for actions on all of them."""
    matches = search.has_every_word | search.is_exact | search.has_forms
    sql = f"assets_asset.id IN (SELECT s.asset_id FROM assets_search AS s WHERE {matches.text})"  # noqa: S608
    return RawSQL(sql, list(matches.params), output_field=BooleanField())  # noqa: S611


def select_assets(params: QueryDict, rows: AssetQuerySet, search: Search | None = None) -> AssetSelection | None:
    """Return the selection of the list with the query `params`, whose filters gave `rows`, and of the search.

    None for a filter by other tables, whose changes the remembered totals do not notice.
    """
    given = {name: value for name, value in params.items() if value and name not in (*IGNORED_PARAMS, PAGE_VAR)}
    if ALBUM_ART in given:
        return None
    order = tuple(rows.query.order_by)
    if search is not None:
        scope = _scope(given) if all(len(params.getlist(name)) == 1 for name in given) else None
        ranked = order if params.get(ORDER_VAR) else None
        if scope is not None:
            return AssetSelection(scope=scope, search=search, order=ranked)
        return AssetSelection(filtered=rows, search=search, order=ranked)
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
