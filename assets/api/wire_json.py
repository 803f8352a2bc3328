"""An asset as clients read it, written as JSON by the database itself.

A page of rows is never turned into objects and back: the database writes each row's JSON text, the view joins the
texts. A flag that is off leaves its keys out, so that the answer is what it was before the field existed.
"""

from collections.abc import Iterable
from functools import cache

from django.conf import settings
from django.db.models import TextField
from django.db.models.expressions import RawSQL

from assets.querysets import AssetQuerySet
from flags.evaluation import FlagSet
from flags.registry import AI_METADATA, ALBUM_ART, CREATOR_DESCRIPTION

_MOMENT = "to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
# "104bpm" among the tags tells a song's tempo where no metadata does.
_TAG_BPM = (
    "(SELECT substring(tag FROM '^[0-9]{2,3}')::int FROM unnest(tags) AS tag WHERE tag ~ '^[0-9]{2,3}bpm$' LIMIT 1)"
)
_AI_BPM = "CASE WHEN jsonb_typeof(ai_metadata->'bpm') = 'number' THEN (ai_metadata->>'bpm')::numeric END"
_AI_GENRE = "CASE WHEN jsonb_typeof(ai_metadata->'genre') = 'string' THEN ai_metadata->>'genre' END"

# Wire key -> SQL. Order and spelling are the contract's; `nna_address` alone is not in camel case.
_ALWAYS: dict[str, str] = {
    "_id": "public_id",
    "id": "public_id",
    "layer": "layer",
    "category": "category",
    "subcategory": "subcategory",
    "name": "name",
    "nna_address": "nna_address",
    "gcpStorageUrl": "CASE WHEN media_key = '' THEN media_url ELSE %(media_base)s || media_key END",
    "source": "source",
    "tags": "tags",
    "description": "description",
    "trainingData": "training_data",
    "rights": "rights",
    "components": "components",
    "registeredBy": "registered_by",
    "fileSize": "file_size",
    "mimeType": "nullif(mime_type, '')",
    "originalFilename": "nullif(original_filename, '')",
    "status": "CASE WHEN curated_at IS NULL THEN 'active' ELSE 'curated' END",
    "createdAt": _MOMENT.format(column="created_at"),
    "updatedAt": _MOMENT.format(column="updated_at"),
    "__v": "revision",
}
_GATED: dict[str, dict[str, str]] = {
    CREATOR_DESCRIPTION: {"creatorDescription": "creator_description"},
    ALBUM_ART: {"albumArt": "album_art", "albumArtDetails": "NULL::json"},
    AI_METADATA: {"aiMetadata": "ai_metadata"},
}
_METADATA_KEYS = ("tags", "description", "creatorDescription", "aiMetadata", "songMetadata", "albumArt", "components")


@cache
def _row_sql(flags: frozenset[str], keys: tuple[str, ...] | None = None) -> str:
    columns = dict(_ALWAYS)
    for flag, gated in _GATED.items():
        if flag in flags:
            columns |= gated
    has_ai = AI_METADATA in flags
    bpm = f"coalesce({_AI_BPM}, {_TAG_BPM})" if has_ai else _TAG_BPM
    song = f"json_build_object('bpm', {bpm}, 'genre', {_AI_GENRE if has_ai else 'NULL::text'})"
    knows_tempo = f"{bpm} IS NOT NULL" + (f" OR {_AI_GENRE} IS NOT NULL" if has_ai else "")
    columns["songMetadata"] = f"CASE WHEN layer = 'G' AND ({knows_tempo}) THEN {song} END"
    pairs = ", ".join(f"'{key}', {sql}" for key, sql in columns.items() if keys is None or key in keys)
    return f"json_build_object({pairs})::text".replace("%(media_base)s", "%s")


def asset_json(flags: FlagSet) -> RawSQL:
    """The expression of one row's JSON text; annotate or select it on assets."""
    return RawSQL(_row_sql(flags.names), [settings.MEDIA_PUBLIC_URL], output_field=TextField())  # noqa: S611  # no input in it


def metadata_json(flags: FlagSet) -> RawSQL:
    """The expression of the shorter document at `/assets/{id}/metadata`."""
    return RawSQL(_row_sql(flags.names, _METADATA_KEYS), [], output_field=TextField())  # noqa: S611


def rows_as_json(assets: AssetQuerySet, flags: FlagSet) -> list[str]:
    return list(assets.values_list(asset_json(flags), flat=True))


def join_json(rows: Iterable[str]) -> bytes:
    """A JSON array of rows that are JSON texts already."""
    return ("[" + ",".join(rows) + "]").encode()
