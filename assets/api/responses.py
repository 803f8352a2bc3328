"""Responses with assets: the database writes their JSON, with the flags of the caller."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from django.db.models.expressions import RawSQL
from django.http import HttpResponse
from rest_framework.request import Request

from api.envelopes import success_from_json
from api.permissions import is_service
from api.read_responses import read_response
from assets.api.asset_json import JsonRows, fetch_by_pk, fetch_by_reference, fetch_latest, join_json
from assets.api.listing import AssetPage, list_assets
from assets.errors import AssetNotFound
from assets.lookup import parse_reference
from flags.evaluation import EnabledFlags, cached_then_fresh_flags, is_current
from taxonomy.snapshot_cache import current_taxonomy


def page_response(request: Request, page: AssetPage) -> HttpResponse:
    """Respond to a user with an object around `items`, to a service with the rows and the counts beside them."""
    counts = {
        "total": page.total,
        "page": page.params.page,
        "limit": page.params.limit,
        "totalPages": page.params.total_pages(page.total),
    }
    rows = join_json(page.rows.rows)
    extra = b"," + orjson.dumps(counts)[1:-1]
    if is_service(request):
        return read_response(request, rows, extra_json=extra)
    return read_response(request, b'{"items":' + rows + extra + b"}")


def list_response(request: Request, params: Any) -> HttpResponse:
    for flags in cached_then_fresh_flags(request):
        page = list_assets(params, flags=flags, is_admin=request.user.is_admin)
        if is_current(flags, page.rows.flags_version):
            break
    return page_response(request, page)


def asset_response(request: Request, pk: int, *, status: int = 200) -> HttpResponse:
    [row] = fetch_rows(request, [pk])
    return success_from_json(row.encode(), status=status)


def fetch_rows(request: Request, pks: Sequence[int]) -> list[str]:
    return _fetch_current(request, lambda flags: fetch_by_pk(pks, flags))


def fetch_referenced_rows(request: Request, keys: Sequence[str]) -> list[str]:
    """Return the assets that names, addresses or ids match, in their order; keys without an asset are left out."""
    return _fetch_current(request, lambda flags: fetch_by_reference(keys, flags))


def _fetch_current(request: Request, fetch: Callable[[EnabledFlags], JsonRows]) -> list[str]:
    for flags in cached_then_fresh_flags(request):
        found = fetch(flags)
        if is_current(flags, found.flags_version):
            break
    return found.rows


def get_json_response(request: Request, key: str, row: Callable[[EnabledFlags], RawSQL]) -> HttpResponse:
    """Respond with the asset that `key` matches, as the JSON `row`. Admins may include deleted assets."""
    has_deleted = request.query_params.get("includeDeleted") == "true" and request.user.is_admin
    reference = parse_reference(key)
    if reference is None:
        raise AssetNotFound(key)
    condition, params = reference.condition(current_taxonomy)
    rows = _fetch_current(
        request, lambda flags: fetch_latest(row(flags), condition, params, limit=1, has_deleted=has_deleted)
    )
    if not rows:
        raise AssetNotFound(key)
    return read_response(request, rows[0].encode())
