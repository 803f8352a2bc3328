"""Lists, searches and counts in the legacy dialect: query parameters become an `AssetSelection`."""

from dataclasses import dataclass
from typing import Any

from api.pagination import PageParams, parse_page_params
from assets.api.asset_json import JsonRows, represent
from assets.api.filters import FILTER_NAMES, AssetFilter, parse_ordering, parse_tags, validate_query_params
from assets.models import Asset
from assets.querysets import AssetQuerySet
from assets.search import SearchScope, build_search, clean_search
from assets.selection import ALL_ASSETS, NEWEST_FIRST, OLDEST_FIRST, AssetSelection, TaxonomyScope
from common.errors import FieldErrorDetail, InvalidInput
from flags.evaluation import EnabledFlags
from flags.registry import AI_METADATA, SEARCH_CREATOR_DESCRIPTION
from taxonomy.snapshot_cache import current_taxonomy


@dataclass(frozen=True)
class AssetPage:
    rows: JsonRows
    total: int
    params: PageParams


def list_assets(params: Any, *, flags: EnabledFlags, is_admin: bool) -> AssetPage:
    """Return the page that the query parameters describe. Raises InvalidInput naming the parameter."""
    validate_query_params(params)
    page = parse_page_params(params)
    selection = parse_selection(params, flags=flags, is_admin=is_admin)
    rows, total = represent(selection, flags, limit=page.limit, offset=page.offset)
    return AssetPage(rows, total, page)


def parse_selection(params: Any, *, flags: EnabledFlags, is_admin: bool) -> AssetSelection:
    text = clean_search(params.get("search") or params.get("q") or "")
    search = build_search(text, taxonomy=current_taxonomy, scope=search_scope(flags)) if text else None
    scope, order, tags = _parse_scope(params), parse_ordering(params), parse_tags(params)
    has_deleted = is_admin and params.get("includeDeleted") == "true"
    is_filtered = not FILTER_NAMES.isdisjoint(params)
    if not (is_filtered or has_deleted or search) and order in (None, NEWEST_FIRST, OLDEST_FIRST):
        return AssetSelection(scope, order=order, tags=tuple(dict.fromkeys(tags)))
    everything = scope.filter(Asset.objects.all() if has_deleted else Asset.objects.live())
    filtered = everything.filter(tags__contains=tags) if tags else everything
    counters = None
    if is_filtered:
        filters = _parse_filters(filtered, params, flags)
        filtered = filters.qs
        counters = filters.counters() if scope == ALL_ASSETS and not (tags or has_deleted or search) else None
    if not has_deleted and filtered.query.where == everything.query.where:
        return AssetSelection(scope, search, order)  # no filter, or only such that admit all assets: `status=active`
    return AssetSelection(scope, search, order, filtered, counters=counters)


def search_scope(flags: EnabledFlags) -> SearchScope:
    return SearchScope(
        has_creator_description=flags.is_on(SEARCH_CREATOR_DESCRIPTION), has_ai_metadata=flags.is_on(AI_METADATA)
    )


def _parse_scope(params: Any) -> TaxonomyScope:
    layer, category, subcategory = (params.get(name) or None for name in ("layer", "category", "subcategory"))
    layer = layer.strip().upper() if layer else None
    if category is None and subcategory is None:
        return TaxonomyScope(layer)
    nodes = current_taxonomy().matching_nodes(layer=layer, category=category, subcategory=subcategory)
    return TaxonomyScope(layer, [node.pk for node in nodes])


def _parse_filters(assets: AssetQuerySet, params: Any, flags: EnabledFlags) -> AssetFilter:
    filters = AssetFilter(params, queryset=assets, taxonomy=current_taxonomy(), flags=flags)
    if not filters.is_valid():
        errors = [FieldErrorDetail(name, f"{name}: {text}") for name, texts in filters.errors.items() for text in texts]
        raise InvalidInput("; ".join(error.message for error in errors), field_errors=errors)
    return filters


def count_assets(params: Any) -> int:
    """Count the live assets of a layer, category or subcategory."""
    validate_query_params(params)
    return _parse_scope(params).live_count()
