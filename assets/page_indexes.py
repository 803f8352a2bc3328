"""Indexes of the asset table in the order of its lists, one for each filter and sort.

Each index ends with the public id, the key by which a page is read, so that skipping rows reads the index alone. For
this the visibility map must be recent: migration 0011 lets autovacuum run after 2 % of the rows changed.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Index, Q
from django.db.models.functions import Upper

_LIVE = Q(deleted_at=None)


def _newest_first(name: str, *columns: Any, condition: Q | None = None, include: Sequence[str] = ()) -> Index:
    """Index live assets that meet `condition` by columns, then in the default order of lists."""
    return Index(
        *[F(column) if isinstance(column, str) else column for column in columns],
        F("created_at").desc(), F("public_id").desc(),
        name=name, condition=_LIVE & condition if condition else _LIVE, include=include,
    )  # fmt: skip


# A list by name reads the unique index of the names, which includes the public id.
PAGE_INDEXES = [
    _newest_first("assets_newest"),
    _newest_first("assets_layer_newest", "layer"),
    _newest_first("assets_node_newest", "taxonomy_node"),
    # The expression of `iexact`. An index on an expression is read alone only if it includes the column.
    _newest_first("assets_registrant_newest", Upper("registered_by"), include=["registered_by"]),
    Index(
        F("created_at").desc(),
        F("public_id").desc(),
        name="assets_deleted_newest",
        condition=Q(deleted_at__isnull=False),
    ),
    _newest_first("assets_curated_newest", condition=Q(curated_at__isnull=False)),
    _newest_first("assets_album_art_newest", condition=Q(album_art__isnull=False)),
    _newest_first("assets_no_album_art_newest", condition=Q(album_art=None)),
    _newest_first(
        "assets_description_newest",
        condition=Q(creator_description__isnull=False),
        include=["creator_description_origin"],
    ),
    _newest_first("assets_no_description_newest", condition=Q(creator_description=None)),
    Index(F("updated_at").desc(), F("public_id").desc(), name="assets_updated", condition=_LIVE),
]
# Which assets lack a backfilled field, and where the AI metadata of the others comes from: for the checks before a
# rollout and the metrics of the fields.
BACKFILL_INDEXES = [
    Index(fields=["origin"], name="assets_lacking_description", condition=Q(creator_description__isnull=True)),
    Index(fields=["origin"], name="assets_lacking_ai_metadata", condition=Q(ai_metadata__isnull=True)),
    Index(
        fields=["ai_metadata_origin"], name="assets_ai_metadata_origin", condition=_LIVE & Q(ai_metadata__isnull=False)
    ),
]
