"""Baseline with raw SQL: one statement builds the page, and a plain view returns it.

The view reads no token and counts no total.
"""

from django.db import connection
from django.http import HttpRequest, HttpResponse

_ROW = """jsonb_build_object(
    '_id', public_id, 'id', public_id, 'layer', layer, 'category', category, 'subcategory', subcategory, 'name', name,
    'nna_address', nna_address, 'gcpStorageUrl', 'http://127.0.0.1/media/' || media_key, 'source', source, 'tags', tags,
    'description', description, 'trainingData', training_data, 'rights', rights, 'components', components,
    'registeredBy', registered_by, 'fileSize', file_size, 'mimeType', mime_type, 'originalFilename', original_filename,
    'createdAt', created_at, 'updatedAt', updated_at, '__v', revision, 'creatorDescription', creator_description,
    'albumArt', album_art, 'aiMetadata', ai_metadata)"""
_NEWEST = "ORDER BY created_at DESC, public_id DESC LIMIT 50"
_ITEMS = f"SELECT jsonb_build_object('items', jsonb_agg({_ROW}))::text"
_PAGE = f"{_ITEMS} FROM (SELECT * FROM assets_asset WHERE deleted_at IS NULL"
LIST = f"{_PAGE} {_NEWEST}) AS page"
SEARCH = f"{_PAGE} AND search_text LIKE %s {_NEWEST}) AS page"
DETAIL = f"SELECT {_ROW}::text FROM assets_asset WHERE name = %s AND deleted_at IS NULL"


def _respond(sql: str, *params: str) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return HttpResponse(cursor.fetchone()[0], content_type="application/json")


def raw_list(request: HttpRequest) -> HttpResponse:
    return _respond(LIST)


def raw_search(request: HttpRequest) -> HttpResponse:
    return _respond(SEARCH, f"%{request.GET['search']}%")


def raw_detail(request: HttpRequest, name: str) -> HttpResponse:
    return _respond(DETAIL, name)
