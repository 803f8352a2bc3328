"""Temporary tables of an import: the rows of the current batch, and what must be known of all rows before it.

A batch is copied into `assets_import_row`, compared with the assets by joins and written by one INSERT and one UPDATE,
each with its history rows. Ids, claimed identities and components of the whole export stay in the database, so that the
memory of the import does not grow with the export.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from assets.history import HistoryUrlField
from assets.legacy_export_parser import LegacyAsset
from assets.models import Asset
from taxonomy.snapshot import Node

# Columns that each row of the export has, and columns whose key may be absent: an update leaves their value.
_REQUIRED = (
    "public_id", "layer", "category", "subcategory", "taxonomy_node_id", "sequence_number", "name", "nna_address",
    "has_irregular_address", "media_url", "registered_by", "created_at", "updated_at",
)  # fmt: skip
_OPTIONAL = (
    "source", "description", "tags", "training_data", "rights", "components", "creator_description", "album_art",
    "ai_metadata", "revision",
)  # fmt: skip
_STAGED = ("position", "absent_columns", "base_name", *_REQUIRED, *_OPTIONAL)
_ORIGINS = {"creator_description_origin": "creator_description", "ai_metadata_origin": "ai_metadata"}

_DROP = "DROP TABLE IF EXISTS assets_import_row, assets_import_id, assets_import_identity, assets_import_component"
_CREATE = f"""
CREATE TEMPORARY TABLE assets_import_row AS
SELECT 0 AS position, '{{}}'::text[] AS absent_columns, base_name, {", ".join((*_REQUIRED, *_OPTIONAL))}
FROM assets_asset WITH NO DATA;
CREATE TEMPORARY TABLE assets_import_id (public_id text PRIMARY KEY, position integer, address text);
CREATE TEMPORARY TABLE assets_import_identity (kind text, value text, public_id text, PRIMARY KEY (kind, value));
CREATE TEMPORARY TABLE assets_import_component (position integer, name text, addresses text[])
"""
# Identities of the batch that another asset has: a stored one, or a row of the export that is not stored.
_CONFLICTS = " UNION ALL ".join(
    f"""SELECT staged.position, '{kind}', coalesce(asset.public_id, claimed.public_id) FROM assets_import_row AS staged
    LEFT JOIN assets_asset AS asset ON {condition}
    LEFT JOIN assets_import_identity AS claimed ON claimed.kind = '{kind}' AND claimed.value = {value}
    WHERE coalesce(asset.public_id, claimed.public_id) <> staged.public_id"""
    for kind, condition, value in (
        ("name", "asset.base_name = staged.base_name", "staged.base_name"),
        ("address", "asset.nna_address = staged.nna_address", "staged.nna_address"),
        (
            "number",
            "(asset.taxonomy_node_id, asset.sequence_number) = (staged.taxonomy_node_id, staged.sequence_number)",
            "staged.sequence_number || ' of subcategory ' || staged.taxonomy_node_id",
        ),
    )
)
_STORED = """
SELECT staged.position, asset.taxonomy_node_id, staged.updated_at > asset.updated_at,
       (asset.base_name, asset.nna_address, asset.taxonomy_node_id, asset.sequence_number)
       = (staged.base_name, staged.nna_address, staged.taxonomy_node_id, staged.sequence_number)
FROM assets_import_row AS staged JOIN assets_asset AS asset ON asset.public_id = staged.public_id
"""
# Waits for concurrent writers and then compares again, so that a newer value of theirs is not overwritten.
_LOCK_NEWER = """
SELECT staged.position FROM assets_import_row AS staged JOIN assets_asset AS asset USING (public_id)
WHERE staged.position = ANY(%s) AND staged.updated_at > asset.updated_at ORDER BY asset.id FOR UPDATE OF asset
"""
_UNKNOWN_COMPONENTS = """
SELECT position, name, string_agg(address, ', ' ORDER BY ordinal)
FROM assets_import_component, unnest(addresses) WITH ORDINALITY AS component (address, ordinal)
WHERE NOT EXISTS (SELECT FROM assets_asset WHERE nna_address = address)
  AND NOT EXISTS (SELECT FROM assets_import_id AS imported WHERE imported.address = component.address)
GROUP BY position, name ORDER BY position
"""


@dataclass(frozen=True)
class StagedRow:
    """A parsed row with its subcategory, and the address that the taxonomy yields for its name."""

    position: int
    row: LegacyAsset
    node: Node
    expected_address: str

    @property
    def is_irregular(self) -> bool:
        return self.row.address != self.expected_address

    def identities(self) -> tuple[tuple[str, str], ...]:
        """Return what only one asset may have, as (kind, value), in the order of the checks."""
        number = f"{self.row.hfn.number} of subcategory {self.node.pk}"
        return ("name", self.row.base_name), ("address", self.row.address), ("number", number)


@dataclass(frozen=True)
class StoredRow:
    """What the asset with the id of a staged row has. `has_identity`: the same name, address and number."""

    taxonomy_node_id: int
    is_older: bool
    has_identity: bool


def create_tables() -> None:
    """Create the temporary tables of the session anew."""
    with connection.cursor() as cursor:
        cursor.execute(_DROP)
        cursor.execute(_CREATE)


def drop_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_DROP)


def record_ids(rows: Sequence[tuple[int, LegacyAsset]]) -> dict[int, int]:
    """Record the ids of the rows. Return position -> position of the earlier row with the same id."""
    columns = [row.public_id for _, row in rows], [position for position, _ in rows], [row.address for _, row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO assets_import_id SELECT * FROM unnest(%s::text[], %s::integer[], %s::text[])"
            " ON CONFLICT DO NOTHING",
            columns,
        )
        if cursor.rowcount == len(rows):
            return {}
        cursor.execute("SELECT public_id, position FROM assets_import_id WHERE public_id = ANY(%s)", columns[:1])
        first = dict(cursor.fetchall())
    return {position: first[row.public_id] for position, row in rows if first[row.public_id] != position}


def record_components(rows: Iterable[tuple[int, LegacyAsset]]) -> None:
    """Record the components of composites, which `unknown_components` checks after the last row."""
    _copy(
        "assets_import_component",
        ("position", "name", "addresses"),
        ((position, row.name, row.components) for position, row in rows if row.hfn.layer == "C" and row.components),
    )


def unknown_components() -> Iterator[tuple[int, str, str]]:
    """Yield (position, name, addresses) of composites with components that neither registry nor export has."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_UNKNOWN_COMPONENTS)
        yield from cursor


def stage_rows(rows: Iterable[StagedRow]) -> None:
    """Replace the staged batch."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE assets_import_row")
    _copy("assets_import_row", _STAGED, map(_column_values, rows))


def find_conflicts() -> dict[tuple[int, str], str]:
    """Return (position, kind) -> id of the other asset that has this name, address or number."""
    with connection.cursor() as cursor:
        cursor.execute(_CONFLICTS)
        return {(position, kind): public_id for position, kind, public_id in cursor.fetchall()}


def find_stored() -> dict[int, StoredRow]:
    """Return position -> the asset with the same id."""
    with connection.cursor() as cursor:
        cursor.execute(_STORED)
        return {position: StoredRow(*columns) for position, *columns in cursor.fetchall()}


def record_identities(owners: Mapping[tuple[str, str], str]) -> None:
    """Record (kind, value) -> id of rows that are not stored with this identity, for the batches after this one."""
    if owners:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO assets_import_identity SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])"
                " ON CONFLICT DO NOTHING",
                [*map(list, zip(*owners, strict=True)), list(owners.values())],
            )


def insert_assets(positions: Sequence[int]) -> None:
    """Insert the staged rows, in the order of the export, with their history rows."""
    fields = [
        field
        for field in Asset._meta.concrete_fields
        if not (field.primary_key or field.generated or field.has_db_default())
    ]
    defaults = {field.column: field.get_default() for field in fields if field.column not in _STAGED}
    defaults["origin"] = Asset.Origin.IMPORT.value
    values = ", ".join(f"%({column})s" if column in defaults else f"staged.{column}" for column in _columns(fields))
    _write_with_history(
        f"INSERT INTO assets_asset ({', '.join(_columns(fields))}) SELECT {values} FROM assets_import_row AS staged"
        " WHERE staged.position = ANY(%(positions)s) ORDER BY staged.position RETURNING assets_asset.*",
        defaults | {"positions": list(positions), "history_type": "+", "reason": "imported"},
    )


def update_assets(positions: Sequence[int]) -> int:
    """Update the assets of staged rows that are still older, with history rows. Return how many.

    The rows are locked in the order of their keys before any is written.
    """
    settings = [f"{column} = staged.{column}" for column in _REQUIRED if column != "public_id"]
    settings += [_unless_absent(column, column, f"staged.{column}") for column in _OPTIONAL]
    settings += [_unless_absent(column, of, "''") for column, of in _ORIGINS.items()]
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_NEWER, [list(positions)])
        newer = [position for (position,) in cursor.fetchall()]
    if newer:
        _write_with_history(
            f"UPDATE assets_asset AS asset SET {', '.join(settings)} FROM assets_import_row AS staged"
            " WHERE asset.public_id = staged.public_id AND staged.position = ANY(%(positions)s) RETURNING asset.*",
            {"positions": newer, "history_type": "~", "reason": "imported again"},
        )
    return len(newer)


def _unless_absent(column: str, key_column: str, value: str) -> str:
    return f"{column} = CASE WHEN '{key_column}' = ANY(staged.absent_columns) THEN asset.{column} ELSE {value} END"


def _write_with_history(statement: str, parameters: dict[str, Any]) -> None:
    history = Asset.history.model
    columns = _columns(history.tracked_fields)
    values = [
        f"CASE WHEN left({column}, 5) = 'data:' THEN NULL ELSE {column} END"
        if isinstance(history._meta.get_field(field.name), HistoryUrlField)
        else column
        for field, column in zip(history.tracked_fields, columns, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH written AS ({statement}) INSERT INTO {history._meta.db_table}"
            f" ({', '.join(columns)}, history_date, history_type, history_change_reason)"
            f" SELECT {', '.join(values)}, statement_timestamp(), %(history_type)s, %(reason)s"
            " FROM written ORDER BY id",
            parameters,
        )


def _columns(fields: Iterable[Any]) -> list[str]:
    return [field.column for field in fields]


def _column_values(staged: StagedRow) -> tuple[Any, ...]:
    """Return the values in the order of `_STAGED`."""
    row, node = staged.row, staged.node
    return (
        staged.position, _array_text(row.absent_columns), row.base_name, row.public_id, node.layer, node.category_name,
        node.name, node.pk, row.hfn.number, row.name, row.address, staged.is_irregular, row.media_url,
        row.registered_by, row.created_at, row.updated_at, row.source or "ReViz", row.description,
        _array_text(row.tags), _json_text(row.training_data), _json_text(row.rights), _array_text(row.components),
        row.creator_description, row.album_art, _json_text(row.ai_metadata), row.revision,
    )  # fmt: skip


def _array_text(values: Sequence[str]) -> str:
    """Return a text[] in PostgreSQL's notation. The driver's own conversion of lists takes ten times as long."""
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return '{"' + '","'.join(escaped) + '"}' if values else "{}"


def _json_text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _copy(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
