"""Baseline with raw SQL: one statement builds the page with OFFSET, and a plain view returns it, without a total."""

import json
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from benchmarks.baseline_table import conditions

PAGE_ROWS = 50
_ROW = """jsonb_build_object(
    '_id', public_id, 'id', public_id, 'layer', layer, 'category', category, 'subcategory', subcategory, 'name', name,
    'nna_address', nna_address, 'gcpStorageUrl', 'http://127.0.0.1/media/' || media_key, 'source', source, 'tags', tags,
    'description', description, 'trainingData', training_data, 'rights', rights, 'components', components,
    'registeredBy', registered_by, 'fileSize', file_size, 'mimeType', mime_type, 'originalFilename', original_filename,
    'createdAt', created_at, 'updatedAt', updated_at, '__v', revision, 'creatorDescription', creator_description,
    'albumArt', album_art, 'aiMetadata', ai_metadata)"""
_ITEMS = f"SELECT jsonb_build_object('items', jsonb_agg({_ROW}))::text"
_PAGE = "ORDER BY created_at DESC, id DESC LIMIT %s OFFSET %s"


def list_assets(request: HttpRequest) -> HttpResponse:
    condition, params = conditions(request.GET)
    offset = (int(request.GET.get("page", 1)) - 1) * PAGE_ROWS
    source = f"(SELECT * FROM baseline_asset WHERE {condition} {_PAGE}) AS page"
    return _respond(f"{_ITEMS} FROM {source}", *params, PAGE_ROWS, offset)


def get_asset(request: HttpRequest, name: str) -> HttpResponse:
    return _respond(f"SELECT {_ROW}::text FROM baseline_asset WHERE name = %s", name)


def get_batch(request: HttpRequest) -> HttpResponse:
    return _respond(f"{_ITEMS} FROM baseline_asset WHERE name = ANY(%s)", json.loads(request.body)["addresses"])


def _respond(sql: str, *params: Any) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return HttpResponse(cursor.fetchone()[0], content_type="application/json")
