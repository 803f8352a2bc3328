"""An asset as clients read it, as JSON text that comes from the database.

The row's `document` holds what never depends on who asks; what flags and settings decide is put behind it. A page is
never turned into objects and back. A flag that is off leaves its keys out, so that the answer is what it was before
the field existed.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import TextField
from django.db.models.expressions import RawSQL

from assets.album_art_backend import get_album_art_backend
from assets.models import Asset
from assets.querysets import AssetQuerySet
from assets.search import Search
from flags.evaluation import EnabledFlags
from flags.querysets import FLAGS_VERSION_SQL
from flags.registry import AI_METADATA, ALBUM_ART, CREATOR_DESCRIPTION

_MEDIA_URL = "to_json(CASE WHEN media_key = '' THEN media_url ELSE %s || media_key END)"

_TEXT = TextField()

# Wire key -> SQL of its JSON.
_GATED: dict[str, dict[str, str]] = {
    CREATOR_DESCRIPTION: {"creatorDescription": "to_json(creator_description)"},
    ALBUM_ART: {"albumArt": "to_json(album_art)", "albumArtDetails": "NULL::json"},  # the keeper of pictures knows more
    AI_METADATA: {"aiMetadata": "ai_metadata"},
}
# Keys that answers have only where a value was filled in, so that clients can tell it from a person's words.
_ORIGINS = {
    CREATOR_DESCRIPTION: ("creatorDescriptionOrigin", "creator_description_origin"),
    AI_METADATA: ("aiMetadataOrigin", "ai_metadata_origin"),
}
_METADATA: dict[str, str] = {
    "tags": "to_json(tags)",
    "description": "to_json(description)",
    "components": "to_json(components)",
}


@cache
def _gated_columns_sql(flags: frozenset[str], left_out: str = "") -> str:
    """SQL text of the pairs behind the document, each with its comma: gated fields, then what is known of a song."""
    columns = {key: sql for flag, gated in _GATED.items() if flag in flags for key, sql in gated.items()}
    keeper = get_album_art_backend()
    if keeper and ALBUM_ART in flags:
        columns |= keeper.api_columns
    columns.pop(left_out, None)
    known = "ai_metadata" if AI_METADATA in flags else "NULL"
    columns["songMetadata"] = f"CASE WHEN layer = 'G' THEN assets_song_json(tags, {known}) END"
    pairs = [_pair(key, sql) for key, sql in columns.items()]
    pairs += [
        f"CASE {column} WHEN '' THEN '' ELSE ', \"{key}\" : ' || to_json({column}) END"
        for flag, (key, column) in _ORIGINS.items()
        if flag in flags
    ]
    return " || ".join(pairs)


def _pair(key: str, sql: str) -> str:
    return f"', \"{key}\" : ' || coalesce(({sql})::text, 'null')"


def asset_json(flags: EnabledFlags) -> RawSQL:
    """The expression of one row's JSON text; annotate or select it on assets."""
    sql = f"'{{' || document || {_pair('gcpStorageUrl', _MEDIA_URL)} || {_gated_columns_sql(flags.names)} || '}}'"
    return _row_sql(sql)


def metadata_json(flags: EnabledFlags) -> RawSQL:
    """The expression of the shorter document at `/assets/{id}/metadata`."""
    pairs = " || ".join(_pair(key, sql) for key, sql in _METADATA.items())
    sql = f"'{{' || substr({pairs} || {_gated_columns_sql(flags.names, 'albumArtDetails')}, 3) || '}}'"
    return _row_sql(sql)


def _row_sql(sql: str) -> RawSQL:
    """Every `%s` in it is the address under which stored files are public."""
    return RawSQL(sql, [settings.MEDIA_PUBLIC_URL] * sql.count("%s"), output_field=_TEXT)  # noqa: S611


class JsonRows(NamedTuple):
    """JSON texts, and the stamp of the flags that their statement saw; None where no row came back to carry it."""

    texts: list[str]
    stamp: str | None


def fetch_latest(
    row: RawSQL, condition: str, params: list[Any], *, limit: int, offset: int = 0, has_deleted: bool = False
) -> JsonRows:
    """JSON, as `row` makes it, of the newest live assets for which `condition`, SQL of our own, holds.

    By hand, because every plain list and every detail comes by here, and to have the query built costs as much as to
    run it.
    """
    live = "true" if has_deleted else "deleted_at IS NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {row.sql}, {FLAGS_VERSION_SQL} FROM assets_asset WHERE {live} AND {condition}"  # noqa: S608
            " ORDER BY created_at DESC, public_id DESC LIMIT %s OFFSET %s",
            [*row.params, *params, limit, offset],
        )
        return _rows(cursor.fetchall())


def _rows(found: Sequence[Any]) -> JsonRows:
    return JsonRows([row[0] for row in found], found[0][1] if found else None)


def fetch_search_page(
    row: RawSQL, search: Search, condition: str, params: list[Any], *, limit: int, offset: int
) -> tuple[JsonRows, int]:
    """JSON of the best live assets for which search and `condition` hold, and how many there are in all.

    Matches are counted and ordered by key in one walk; JSON is written for the page's rows alone. By hand, too: to
    have it built took longer than to run it. Beyond the last page nothing is found, and 0 stands for the number.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {row.sql}, {FLAGS_VERSION_SQL}, page.total FROM ("  # noqa: S608
            f"SELECT id, {search.rank.sql} AS rank, count(*) OVER () AS total FROM assets_asset"
            f" WHERE deleted_at IS NULL AND {search.condition.sql} AND {condition}"
            " ORDER BY rank, created_at DESC, public_id DESC LIMIT %s OFFSET %s"
            ") AS page JOIN assets_asset USING (id) ORDER BY page.rank, created_at DESC, public_id DESC",
            [*row.params, *search.rank.params, *search.condition.params, *params, limit, offset],
        )
        found = cursor.fetchall()
    return _rows(found), found[0][2] if found else 0


def count_found(search: Search, condition: str, params: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM assets_asset WHERE deleted_at IS NULL AND {search.condition.sql} AND {condition}",  # noqa: S608
            [*search.condition.params, *params],
        )
        return cursor.fetchone()[0]


_STAMP = RawSQL(FLAGS_VERSION_SQL, [], output_field=_TEXT)  # noqa: S611  # no input in it


def fetch_by_pk(pks: Sequence[int], flags: EnabledFlags) -> JsonRows:
    """JSON of the assets with these keys, in the order of the keys."""
    by_pk = {pk: row for pk, *row in Asset.objects.filter(pk__in=pks).values_list("pk", asset_json(flags), _STAMP)}
    return _rows([by_pk[pk] for pk in pks])


def fetch_queryset(assets: AssetQuerySet, flags: EnabledFlags) -> JsonRows:
    return _rows(assets.values_list(asset_json(flags), _STAMP))


def join_json(rows: Iterable[str]) -> bytes:
    """A JSON array of rows that are JSON texts already."""
    return ("[" + ",".join(rows) + "]").encode()
