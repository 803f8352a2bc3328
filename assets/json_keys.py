"""The JSON of an asset: each key with the SQL of its value, selected from assets_asset. Pure.

A new key is added here, to its contract and to a test. A key of DOCUMENT_KEYS is stored in the row: it also needs a
migration that calls `assets.document_migrations.replace_document`. See docs/adr/json-by-the-database.md.
"""

from flags.registry import AI_METADATA, ALBUM_ART, CREATOR_DESCRIPTION


def _timestamp(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


# Keys that depend on neither the caller nor a setting. The generated column `document` stores them.
DOCUMENT_KEYS = {
    "_id": "public_id",
    "id": "public_id",
    "layer": "layer",
    "category": "category",
    "subcategory": "subcategory",
    "name": "name",
    "nna_address": "nna_address",
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
    "createdAt": _timestamp("created_at"),
    "updatedAt": _timestamp("updated_at"),
    "__v": "revision",
}

# The columns that DOCUMENT_KEYS use, with their types: the parameters of the SQL function.
DOCUMENT_COLUMNS = {
    "public_id": "text",
    "layer": "text",
    "category": "text",
    "subcategory": "text",
    "name": "text",
    "nna_address": "text",
    "source": "text",
    "tags": "text[]",
    "description": "text",
    "training_data": "jsonb",
    "rights": "jsonb",
    "components": "text[]",
    "registered_by": "text",
    "file_size": "bigint",
    "mime_type": "text",
    "original_filename": "text",
    "curated_at": "timestamptz",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "revision": "integer",
}

# `%s` stands for the public URL of stored files.
MEDIA_KEYS = {"gcpStorageUrl": "to_json(CASE WHEN media_key = '' THEN media_url ELSE %s || media_key END)"}

# Flag -> keys that responses contain only if the flag is on. The album art backend adds its own keys.
GATED_KEYS = {
    CREATOR_DESCRIPTION: {"creatorDescription": "to_json(creator_description)"},
    ALBUM_ART: {"albumArt": "to_json(album_art)"},
    AI_METADATA: {"aiMetadata": "ai_metadata"},
}

# Flag -> (key, column). The key is present only if a backfill wrote the value.
ORIGIN_KEYS = {
    CREATOR_DESCRIPTION: ("creatorDescriptionOrigin", "creator_description_origin"),
    AI_METADATA: ("aiMetadataOrigin", "ai_metadata_origin"),
}

# The keys of `/assets/{id}/metadata`, before the gated ones.
METADATA_KEYS = {
    "tags": "to_json(tags)",
    "description": "to_json(description)",
    "components": "to_json(components)",
}


def song_keys(*, has_ai_metadata: bool) -> dict[str, str]:
    """Return the key for songs; its value is made by the function in assets/sql/song_json.sql."""
    ai_metadata = "ai_metadata" if has_ai_metadata else "NULL"
    return {"songMetadata": f"CASE WHEN layer = 'G' THEN assets_song_json(tags, {ai_metadata}) END"}


def document_function(keys: dict[str, str], columns: dict[str, str]) -> str:
    """Return the SQL that creates the function behind the column `document`.

    The function may be IMMUTABLE: the text of each argument is the same under any setting, and timestamps are UTC.
    It returns the object without braces, so that reads can append gated keys.
    """
    parameters = ", ".join(f"{name} {sql_type}" for name, sql_type in columns.items())
    pairs = ", ".join(f"'{key}', {sql}" for key, sql in keys.items())
    return f"""
CREATE FUNCTION assets_document({parameters}) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT substr(whole, 2, length(whole) - 2) FROM (SELECT json_build_object( {pairs} )::text AS whole) AS made
$$;
"""  # noqa: S608  # constants of this module and of migrations
