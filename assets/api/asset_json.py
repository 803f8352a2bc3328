"""Represent assets as JSON text, which the database writes.

A row stores the keys that are the same for all callers (`document`); a SELECT appends the keys that depend on flags and
settings. Rows are not loaded as objects. If a flag is off, its keys are absent, as before the field existed.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import TextField
from django.db.models.expressions import RawSQL

from assets.album_art_backend import get_album_art_backend
from assets.json_keys import GATED_KEYS, MEDIA_KEYS, METADATA_KEYS, ORIGIN_KEYS, song_keys
from assets.lookup import references_sql
from assets.search_pages import find_page
from assets.selection import AssetSelection
from common.prepared_statements import prepared_cursor
from flags.evaluation import EnabledFlags
from flags.querysets import FLAGS_VERSION_SQL
from flags.registry import AI_METADATA, ALBUM_ART
from taxonomy.snapshot_cache import current_taxonomy

_TEXT = TextField()


class JsonRows(NamedTuple):
    """JSON texts, and the version of the flags that their statement saw; None if no row was returned."""

    rows: list[str]
    flags_version: str | None


def represent(selection: AssetSelection, flags: EnabledFlags, *, limit: int, offset: int) -> tuple[JsonRows, int]:
    """Return a page of the selection as JSON, and the number of all its assets.

    Statements without filters are most of the traffic. They are written by hand, because the ORM takes as long to build
    them as PostgreSQL takes to run them.
    """
    if selection.search is None:
        return _fetch_page(selection, flags, limit=limit, offset=offset)
    pks, total = find_page(selection, limit=limit, offset=offset)
    return fetch_by_pk(pks, flags) if pks else JsonRows([], None), total


def _fetch_page(selection: AssetSelection, flags: EnabledFlags, *, limit: int, offset: int) -> tuple[JsonRows, int]:
    """Choose the keys of the page, from the nearer end, then write JSON for these rows only.

    The total is read first. An asset registered between the two statements moves the page by one row, as it does
    between two requests.
    """
    total = selection.count()
    limit = min(limit, total - offset)
    if limit <= 0:
        return JsonRows([], None), total
    is_from_end = offset > total // 2
    start = total - offset - limit if is_from_end else offset
    keys, params = selection.keys_sql(start=start, limit=limit, is_from_end=is_from_end)
    return _fetch_by_keys(f"ARRAY({keys})", params, flags, is_reversed=is_from_end), total


def fetch_latest(row: RawSQL, condition: str, params: list[Any], *, limit: int, has_deleted: bool = False) -> JsonRows:
    """Return the newest live assets as the JSON `row`. `condition` is SQL of this project, without client input."""
    live = "true" if has_deleted else "deleted_at IS NULL"
    with prepared_cursor() as cursor:
        cursor.execute(
            f"SELECT {row.sql}, {FLAGS_VERSION_SQL} FROM assets_asset WHERE {live} AND {condition}"  # noqa: S608
            " ORDER BY created_at DESC, public_id DESC LIMIT %s",
            [*row.params, *params, limit],
        )
        return _json_rows(cursor.fetchall())


def fetch_by_pk(pks: Sequence[int], flags: EnabledFlags) -> JsonRows:
    """Return the assets in the order of `pks`."""
    return _fetch_by_keys("%s::bigint[]", [list(pks)], flags, column="id")


def fetch_by_reference(keys: Sequence[str], flags: EnabledFlags) -> JsonRows:
    """Return the live assets that the references match, in their order, in one statement."""
    sql, params = references_sql(keys, current_taxonomy)
    return _fetch_by_keys(f"ARRAY({sql})", params, flags, column="id")


def _fetch_by_keys(
    keys: str, params: list[Any], flags: EnabledFlags, *, column: str = "public_id", is_reversed: bool = False
) -> JsonRows:
    """Return the assets in the order of `keys`, an SQL array of values of the column, or in the opposite order."""
    row = asset_json(flags)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {row.sql}, {FLAGS_VERSION_SQL}"  # noqa: S608  # constant SQL
            f" FROM unnest({keys}) WITH ORDINALITY AS page ({column}, position) JOIN assets_asset USING ({column})"
            f" ORDER BY position{' DESC' if is_reversed else ''}",
            [*row.params, *params],
        )
        return _json_rows(cursor.fetchall())


def _json_rows(found: Iterable[Any]) -> JsonRows:
    rows = list(found)
    return JsonRows([row[0] for row in rows], rows[0][1] if rows else None)


def join_json(rows: Iterable[str]) -> bytes:
    """Return a JSON array of rows that are JSON texts."""
    return ("[" + ",".join(rows) + "]").encode()


def asset_json(flags: EnabledFlags) -> RawSQL:
    """Return the expression for the JSON text of one asset."""
    return _row_sql(f"'{{' || document{_pairs(MEDIA_KEYS)}{_gated_pairs(flags.names)} || '}}'")


def metadata_json(flags: EnabledFlags) -> RawSQL:
    """Return the expression for the shorter JSON text of `/assets/{id}/metadata`."""
    pairs = _pairs(METADATA_KEYS, has_comma_first=False)
    return _row_sql(f"'{{'{pairs}{_gated_pairs(flags.names, without='albumArtDetails')} || '}}'")


@cache
def _gated_pairs(flags: frozenset[str], without: str = "") -> str:
    columns: dict[str, str] = {}
    for flag, gated in GATED_KEYS.items():
        if flag in flags:
            columns |= gated
            if flag == ALBUM_ART and (backend := get_album_art_backend()):
                columns |= backend.api_columns
    columns.pop(without, None)
    columns |= song_keys(has_ai_metadata=AI_METADATA in flags)
    origins = (
        f" || CASE {column} WHEN '' THEN '' ELSE ', \"{key}\" : ' || to_json({column}) END"
        for flag, (key, column) in ORIGIN_KEYS.items()
        if flag in flags
    )
    return _pairs(columns) + "".join(origins)


def _pairs(columns: Mapping[str, str], *, has_comma_first: bool = True) -> str:
    """Return SQL that appends `, "key" : value` for each column, in the format of json_build_object."""
    return "".join(
        f" || '{', ' if position or has_comma_first else ''}\"{key}\" : ' || coalesce(({sql})::text, 'null')"
        for position, (key, sql) in enumerate(columns.items())
    )


def _row_sql(sql: str) -> RawSQL:
    """Wrap SQL in which each `%s` is the public URL of stored files."""
    return RawSQL(sql, [settings.MEDIA_PUBLIC_URL] * sql.count("%s"), output_field=_TEXT)  # noqa: S611
