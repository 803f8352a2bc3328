"""Lists, searches and counts in the legacy dialect: query parameters become an `AssetSelection`."""

from dataclasses import dataclass
from typing import Any

from api.pagination import PageParams, parse_page_params
from assets.api.asset_json import JsonRows, represent
from assets.api.filters import FILTER_NAMES, AssetFilter, parse_ordering, parse_tags, validate_query_params
from assets.models import Asset
from assets.querysets import AssetQuerySet
from assets.search import SearchScope, build_search, clean_search
from assets.selection import AssetSelection, TaxonomyScope
from common.errors import FieldErrorDetail, InvalidInput
from flags.evaluation import EnabledFlags
from flags.registry import AI_METADATA, SEARCH_CREATOR_DESCRIPTION
from taxonomy.snapshot_cache import current_taxonomy

_FILTER_PARAMETERS = FILTER_NAMES | {"tags", "tags[]"}


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
    scope = _parse_scope(params)
    has_deleted = is_admin and params.get("includeDeleted") == "true"
    is_filtered = bool(_FILTER_PARAMETERS & params.keys())
    order = parse_ordering(params)
    filtered = None
    if is_filtered or has_deleted:
        everything = scope.filter(Asset.objects.all() if has_deleted else Asset.objects.live())
        filtered = _filter(everything, params, flags) if is_filtered else everything
        if not has_deleted and filtered.query.where == everything.query.where:
            filtered = None  # each filter admits all assets: `status=active`, or a field whose flag is off
    search = build_search(text, taxonomy=current_taxonomy, scope=search_scope(flags)) if text else None
    return AssetSelection(scope, search, order, filtered)


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


def _filter(assets: AssetQuerySet, params: Any, flags: EnabledFlags) -> AssetQuerySet:
    tags = parse_tags(params)
    if tags:
        assets = assets.filter(tags__contains=tags)
    filters = AssetFilter(params, queryset=assets, taxonomy=current_taxonomy(), flags=flags)
    if not filters.is_valid():
        errors = [FieldErrorDetail(name, f"{name}: {text}") for name, texts in filters.errors.items() for text in texts]
        raise InvalidInput("; ".join(error.message for error in errors), field_errors=errors)
    return filters.qs


def count_assets(params: Any) -> int:
    """Count the live assets of a layer, category or subcategory."""
    validate_query_params(params)
    return _parse_scope(params).live_count()
