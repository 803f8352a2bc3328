"""One page of assets for a list or a search: which rows, in which order, how many there are."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Window

from api.pagination import PageParams, parse_page_params
from assets.api.asset_json import (
    JsonRows,
    asset_json,
    count_found,
    fetch_by_pk,
    fetch_latest,
    fetch_queryset,
    fetch_search_page,
)
from assets.api.filters import FILTER_NAMES, AssetFilter, parse_ordering, parse_tags, validate_query_params
from assets.models import Asset
from assets.querysets import AssetQuerySet
from assets.search import SearchScope, build_search, clean_search
from common.errors import FieldErrorDetail, InvalidInput
from flags.evaluation import EnabledFlags
from flags.registry import AI_METADATA, SEARCH_CREATOR_DESCRIPTION
from taxonomy.snapshot_cache import current_taxonomy

_FILTER_PARAMETERS = FILTER_NAMES | {"tags", "tags[]"}


@dataclass(frozen=True)
class AssetPage:
    rows: JsonRows
    total: int
    wish: PageParams


def search_scope(flags: EnabledFlags) -> SearchScope:
    return SearchScope(
        has_creator_description=flags.is_on(SEARCH_CREATOR_DESCRIPTION), has_ai_metadata=flags.is_on(AI_METADATA)
    )


def list_assets(params: Any, *, flags: EnabledFlags, is_admin: bool) -> AssetPage:
    """The page that query parameters mean. Raises Invalid naming the parameter."""
    validate_query_params(params)
    wish = parse_page_params(params)
    text = clean_search(params.get("search") or params.get("q") or "")
    layer, node_pks = _read_place(params)
    has_deleted = is_admin and params.get("includeDeleted") == "true"
    is_filtered = bool(_FILTER_PARAMETERS & params.keys())
    order = parse_ordering(params)
    if not (is_filtered or has_deleted or order):
        return _found(text, layer, node_pks, flags, wish) if text else _newest(layer, node_pks, flags, wish)
    assets = Asset.objects.all() if has_deleted else Asset.objects.live()
    if node_pks is not None:
        assets = assets.filter(taxonomy_node__in=node_pks)
    elif layer is not None:
        assets = assets.filter(layer=layer)
    if is_filtered:
        assets = _filter(assets, params, flags)
    if text:
        return _search(assets, text, flags, order, wish)
    total = assets.count() if is_filtered or has_deleted else _live_count(layer, node_pks)
    page = assets.order_by(*order) if order else assets.newest_first()
    return AssetPage(fetch_queryset(page[wish.offset : wish.offset + wish.limit], flags), total, wish)


def _read_place(params: Any) -> tuple[str | None, list[int] | None]:
    """The layer asked for, and, where a category or subcategory is, the keys of all nodes that are meant."""
    layer, category, subcategory = (params.get(name) or None for name in ("layer", "category", "subcategory"))
    layer = layer.strip().upper() if layer else None
    if category is None and subcategory is None:
        return layer, None
    nodes = current_taxonomy().matching_nodes(layer=layer, category=category, subcategory=subcategory)
    return layer, [node.pk for node in nodes]


def _place_sql(layer: str | None, node_pks: list[int] | None) -> tuple[str, list[Any]]:
    if node_pks is not None:
        return "taxonomy_node_id = ANY(%s)", [node_pks]
    return ("layer = %s", [layer]) if layer is not None else ("true", [])


def _newest(layer: str | None, node_pks: list[int] | None, flags: EnabledFlags, wish: PageParams) -> AssetPage:
    """What pages ask for most: the newest, of everything or of one place."""
    condition, params = _place_sql(layer, node_pks)
    rows = fetch_latest(asset_json(flags), condition, params, limit=wish.limit, offset=wish.offset)
    return AssetPage(rows, _live_count(layer, node_pks), wish)


def _found(
    text: str, layer: str | None, node_pks: list[int] | None, flags: EnabledFlags, wish: PageParams
) -> AssetPage:
    """What a search without filters finds, the best first."""
    search = build_search(text, directory=current_taxonomy, scope=search_scope(flags))
    condition, params = _place_sql(layer, node_pks)
    rows, total = fetch_search_page(asset_json(flags), search, condition, params, limit=wish.limit, offset=wish.offset)
    if not rows.texts and wish.page > 1:
        total = count_found(search, condition, params)
    return AssetPage(rows, total, wish)


def _filter(assets: AssetQuerySet, params: Any, flags: EnabledFlags) -> AssetQuerySet:
    tags = parse_tags(params)
    if tags:
        assets = assets.filter(tags__contains=tags)
    filters = AssetFilter(params, queryset=assets, directory=current_taxonomy(), flags=flags)
    if not filters.is_valid():
        field_errors = [
            FieldErrorDetail(name, f"{name}: {text}") for name, texts in filters.errors.items() for text in texts
        ]
        raise InvalidInput("; ".join(fault.message for fault in field_errors), field_errors=field_errors)
    return filters.qs


_COUNT = "SELECT coalesce(sum(live_count), 0) FROM assets_sequencecounter"
_COUNT_OF_LAYER = f"""{_COUNT} JOIN taxonomy_subcategory s ON s.id = taxonomy_node_id
    JOIN taxonomy_category c ON c.id = s.category_id JOIN taxonomy_layer l ON l.id = c.layer_id WHERE l.code = %s"""


def _live_count(layer: str | None, node_pks: list[int] | None) -> int:
    """From the counters: at most one row a subcategory is read, however many assets there are."""
    with connection.cursor() as cursor:
        if node_pks is not None:
            cursor.execute(f"{_COUNT} WHERE taxonomy_node_id = ANY(%s)", [node_pks])
        elif layer is not None:
            cursor.execute(_COUNT_OF_LAYER, [layer])
        else:
            cursor.execute(_COUNT)
        return cursor.fetchone()[0]


def _search(
    assets: AssetQuerySet, text: str, flags: EnabledFlags, order: tuple[str, ...] | None, wish: PageParams
) -> AssetPage:
    search = build_search(text, directory=current_taxonomy, scope=search_scope(flags))
    found = assets.filter(search.condition)
    ordered = found.order_by(*order) if order else found.order_by(search.rank, "-created_at", "-public_id")
    # As in `fetch_search_page`, for what is filtered or ordered otherwise.
    keys = list(ordered.values_list("pk", Window(Count("*")))[wish.offset : wish.offset + wish.limit])
    if not keys:
        return AssetPage(JsonRows([], None), found.count() if wish.page > 1 else 0, wish)
    return AssetPage(fetch_by_pk([pk for pk, _ in keys], flags), keys[0][1], wish)


def count_assets(params: Any) -> int:
    """How many live assets a place in the taxonomy has."""
    validate_query_params(params)
    return _live_count(*_read_place(params))
