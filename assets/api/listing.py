"""One page of assets for a list or a search: which rows, in which order, how many there are."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum, Window

from api.pagination import PageWish, read_page
from assets.api.filters import FILTER_NAMES, AssetFilter, check_parameters, read_order, read_tags
from assets.api.wire_json import asset_json, rows_as_json
from assets.models import Asset, SequenceCounter
from assets.querysets import AssetQuerySet
from assets.search import SearchScope, check_search, plan_search
from common.errors import Fault, Invalid
from flags.evaluation import FlagSet
from flags.registry import AI_METADATA, SEARCH_CREATOR_DESCRIPTION
from taxonomy.lookup import Directory, current_directory


@dataclass(frozen=True)
class AssetPage:
    rows: list[str]
    total: int
    wish: PageWish


def search_scope(flags: FlagSet) -> SearchScope:
    return SearchScope(
        has_creator_description=flags.is_on(SEARCH_CREATOR_DESCRIPTION), has_ai_metadata=flags.is_on(AI_METADATA)
    )


def list_assets(params: Any, *, flags: FlagSet, is_admin: bool) -> AssetPage:
    """The page that query parameters mean. Raises Invalid naming the parameter."""
    check_parameters(params)
    wish = read_page(params)
    text = check_search(params.get("search") or params.get("q") or "")
    layer, category, subcategory = (params.get(name) or None for name in ("layer", "category", "subcategory"))
    directory = current_directory()
    node_pks: list[int] | None = None
    if category is not None or subcategory is not None:
        nodes = directory.matching_nodes(layer=layer, category=category, subcategory=subcategory)
        node_pks = [node.pk for node in nodes]
    has_deleted = is_admin and params.get("includeDeleted") == "true"
    assets = Asset.objects.all() if has_deleted else Asset.objects.live()
    if node_pks is not None:
        assets = assets.filter(taxonomy_node__in=node_pks)
    elif layer is not None:
        assets = assets.filter(layer=layer.strip().upper())
    tags = read_tags(params)
    if tags:
        assets = assets.filter(tags__contains=tags)
    is_filtered = bool(FILTER_NAMES & params.keys())
    if is_filtered:
        assets = _filter(assets, params, directory, flags)
    order = read_order(params)
    if text:
        return _search(assets, text, directory, flags, order, wish)
    total = (
        assets.count()
        if tags or is_filtered or has_deleted
        else _live_count(layer.strip().upper() if layer else None, node_pks)
    )
    page = assets.order_by(*order) if order else assets.newest_first()
    return AssetPage(rows_as_json(page[wish.offset : wish.offset + wish.limit], flags), total, wish)


def _filter(assets: AssetQuerySet, params: Any, directory: Directory, flags: FlagSet) -> AssetQuerySet:
    filters = AssetFilter(params, queryset=assets, directory=directory, flags=flags)
    if not filters.is_valid():
        faults = [Fault(name, f"{name}: {text}") for name, texts in filters.errors.items() for text in texts]
        raise Invalid("; ".join(fault.message for fault in faults), faults=faults)
    return filters.qs


def _live_count(layer: str | None, node_pks: list[int] | None) -> int:
    """From the counters: at most one row a subcategory is read, however many assets there are."""
    counters = SequenceCounter.objects.all()
    if node_pks is not None:
        counters = counters.filter(pk__in=node_pks)
    elif layer is not None:
        counters = counters.filter(taxonomy_node__category__layer__code=layer)
    return counters.aggregate(total=Sum("live_count"))["total"] or 0


def _search(
    assets: AssetQuerySet,
    text: str,
    directory: Directory,
    flags: FlagSet,
    order: tuple[str, ...] | None,
    wish: PageWish,
) -> AssetPage:
    search = plan_search(text, directory=directory, scope=search_scope(flags))
    found = assets.filter(search.condition)
    ordered = found.order_by(*order) if order else found.order_by(search.rank, "-created_at", "-public_id")
    # Keys and the total in one walk over the matches; JSON is written for the page's rows alone.
    keys = list(ordered.values_list("pk", Window(Count("*")))[wish.offset : wish.offset + wish.limit])
    if not keys:
        return AssetPage([], found.count() if wish.page > 1 else 0, wish)
    by_pk = dict(Asset.objects.filter(pk__in=[pk for pk, _ in keys]).values_list("pk", asset_json(flags)))
    return AssetPage([by_pk[pk] for pk, _ in keys], keys[0][1], wish)


def count_assets(params: Any) -> int:
    """How many live assets a place in the taxonomy has."""
    check_parameters(params)
    layer, category, subcategory = (params.get(name) or None for name in ("layer", "category", "subcategory"))
    if category is None and subcategory is None:
        return _live_count(layer.strip().upper() if layer else None, None)
    nodes = current_directory().matching_nodes(layer=layer, category=category, subcategory=subcategory)
    return _live_count(None, [node.pk for node in nodes])
