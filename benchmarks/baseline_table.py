"""The table that the three baselines share: the columns of the API, the usual indexes, and nothing of the service."""

from collections.abc import Mapping
from typing import Any

import psycopg

COLUMNS = (
    "id", "public_id", "layer", "category", "subcategory", "name", "nna_address", "media_key", "media_url", "source",
    "tags", "description", "training_data", "rights", "components", "registered_by", "file_size", "mime_type",
    "original_filename", "created_at", "updated_at", "revision", "creator_description", "album_art", "ai_metadata",
)  # fmt: skip
_TEXT = (
    "name || ' ' || category || ' ' || subcategory || ' ' || description || ' ' || coalesce(creator_description, '')"
)
_STATEMENTS = (
    f"CREATE TABLE baseline_asset AS SELECT {', '.join(COLUMNS)} FROM assets_asset WHERE deleted_at IS NULL",
    "ALTER TABLE baseline_asset ADD PRIMARY KEY (id),"
    f" ADD words tsvector GENERATED ALWAYS AS (to_tsvector('simple', {_TEXT})) STORED",
    "CREATE UNIQUE INDEX ON baseline_asset (name)",
    "CREATE INDEX ON baseline_asset (created_at DESC, id DESC)",
    "CREATE INDEX ON baseline_asset (layer, created_at DESC, id DESC)",
    "CREATE INDEX ON baseline_asset (category, created_at DESC, id DESC)",
    "CREATE INDEX ON baseline_asset USING gin (tags)",
    "CREATE INDEX ON baseline_asset USING gin (words) WITH (fastupdate = off)",
)
_CONDITIONS = {
    "layer": "layer = %s",
    "category": "category = %s",
    "tags": "tags @> ARRAY[%s]::varchar[]",
    "search": "words @@ plainto_tsquery('simple', %s)",
}


def make_table(database: psycopg.Connection[Any]) -> None:
    for statement in _STATEMENTS:
        database.execute(statement)


def conditions(params: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return a WHERE clause of the filters among the query parameters, and its parameters."""
    names = [name for name in _CONDITIONS if name in params]
    return " AND ".join(["true", *(_CONDITIONS[name] for name in names)]), [params[name] for name in names]
