"""Baseline tuned by hand: one query a request, pages that start after a cursor, JSON by orjson.

The database sends its JSON columns as text, which is copied into the response unparsed. There is no total.
"""

from typing import Any

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse

from benchmarks.baseline_table import COLUMNS, conditions

PAGE_ROWS = 50
_JSON_COLUMNS = ("training_data", "rights", "ai_metadata")
_SELECT = "SELECT " + ", ".join(f"{name}::text" if name in _JSON_COLUMNS else name for name in COLUMNS)
_JSON_POSITIONS = [COLUMNS.index(name) for name in _JSON_COLUMNS]


def list_assets(request: HttpRequest) -> HttpResponse:
    condition, params = conditions(request.GET)
    if cursor := request.GET.get("after"):
        condition += " AND (created_at, id) < (%s, %s)"
        params += cursor.split("_")
    page = f"{_SELECT} FROM baseline_asset WHERE {condition} ORDER BY created_at DESC, id DESC LIMIT {PAGE_ROWS + 1}"
    items = _fetch(page, *params)
    last = items[PAGE_ROWS - 1] if len(items) > PAGE_ROWS else None
    next_page = f"{last['created_at'].isoformat()}_{last['id']}" if last else None
    return _respond({"items": items[:PAGE_ROWS], "next": next_page})


def get_asset(request: HttpRequest, name: str) -> HttpResponse:
    return _respond(_fetch(f"{_SELECT} FROM baseline_asset WHERE name = %s", name)[0])


def get_batch(request: HttpRequest) -> HttpResponse:
    names = orjson.loads(request.body)["addresses"]
    found = {item["name"]: item for item in _fetch(f"{_SELECT} FROM baseline_asset WHERE name = ANY(%s)", names)}
    return _respond([found[name] for name in names if name in found])


def _fetch(sql: str, *params: Any) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [dict(zip(COLUMNS, _as_fragments(row), strict=True)) for row in cursor.fetchall()]


def _as_fragments(row: tuple[Any, ...]) -> list[Any]:
    values = list(row)
    for position in _JSON_POSITIONS:
        if values[position] is not None:
            values[position] = orjson.Fragment(values[position])
    return values


def _respond(document: Any) -> HttpResponse:
    return HttpResponse(orjson.dumps(document), content_type="application/json")
