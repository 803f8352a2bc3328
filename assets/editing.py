"""Edit, curate, delete and restore assets. Each change writes a history row with its author."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from simple_history.utils import bulk_update_with_history

from accounts.models import User
from assets.album_art_backend import album_art_to_keep, is_album_art_unchanged, notify_album_art_changed
from assets.components import clean_components
from assets.descriptions import normalize_creator_description
from assets.errors import ImmutableField
from assets.models import Asset, SequenceReservation
from assets.registration import compose_name
from assets.sequences import consume_reservations, lock_counters, reserve_numbers
from common.errors import InvalidInput
from taxonomy.snapshot import Node, TaxonomySnapshot

log = logging.getLogger(__name__)

_PLAIN_FIELDS = ("description", "tags", "source", "training_data", "rights", "ai_metadata")
_TAXONOMY_FIELDS = ("layer", "category", "subcategory")


@transaction.atomic
def edit_asset(asset_pk: int, changes: dict[str, Any], *, by: User, taxonomy: TaxonomySnapshot, now: datetime) -> Asset:
    """Set the given model fields; other fields stay.

    An admin who changes the taxonomy gives the asset a new address. Raises ImmutableField if another user changes the
    taxonomy, or if the components of a composite change; ComponentNotFound; InvalidInput.
    """
    asset = Asset.objects.select_for_update().get(pk=asset_pk)
    creator_description, ai_metadata = asset.creator_description, asset.ai_metadata
    # An edit form sends back the stored image it was shown, not the URL that the image came from.
    has_new_album_art = "album_art" in changes and not is_album_art_unchanged(asset, changes["album_art"])
    if has_new_album_art:
        asset.album_art = album_art_to_keep(asset, changes["album_art"])
    for name in _PLAIN_FIELDS:
        if name in changes:
            setattr(asset, name, changes[name] if name != "source" else changes[name] or asset.source)
    if "creator_description" in changes:
        asset.creator_description = normalize_creator_description(
            changes["creator_description"], stored=asset.creator_description, name=asset.name
        )
    # A backfilled value becomes the sender's only if it differs: forms also send back unchanged values.
    if asset.creator_description != creator_description:
        asset.creator_description_origin = ""
    if asset.ai_metadata != ai_metadata:
        asset.ai_metadata_origin = ""
    if "components" in changes:
        _set_components(asset, changes["components"], taxonomy)
    if any(name in changes for name in _TAXONOMY_FIELDS):
        _set_taxonomy(asset, changes, by=by, taxonomy=taxonomy, now=now)
    _save(asset, by=by, now=now)
    if has_new_album_art:
        notify_album_art_changed(asset, changes["album_art"], by=by, now=now)
    fields = sorted(name for name in changes if name != "album_art" or has_new_album_art)
    log.info("asset edited", extra={"asset": asset.name, "fields": fields, "by": by.public_id})
    return asset


def _set_components(asset: Asset, references: list[str], taxonomy: TaxonomySnapshot) -> None:
    if [text.strip() for text in references if text.strip()] == asset.components:
        return
    components = clean_components(references, layer=asset.layer, taxonomy=taxonomy)
    if asset.layer == "C" and components != asset.components:
        raise ImmutableField("components are part of a composite's name and cannot change", field="components")
    asset.components = components


def _set_taxonomy(
    asset: Asset, changes: dict[str, Any], *, by: User, taxonomy: TaxonomySnapshot, now: datetime
) -> None:
    node = taxonomy.resolve(*(changes.get(name, getattr(asset, name)) for name in _TAXONOMY_FIELDS))
    if node.pk == asset.taxonomy_node_id:
        return
    if not by.is_admin:
        values = zip(_TAXONOMY_FIELDS, (node.layer, node.category_name, node.name), strict=True)
        field = next(name for name, value in values if value != getattr(asset, name))
        raise ImmutableField(f"{field} is part of the asset's address and cannot change", field=field)
    _reassign_address(asset, node, by=by, now=now)


def _reassign_address(asset: Asset, node: Node, *, by: User, now: datetime) -> None:
    """Give the asset a number under another node. The old number stays used, and the file keeps its key."""
    lock_counters([asset.taxonomy_node_id, node.pk])
    reserved = reserve_numbers([node.pk], purpose=SequenceReservation.Purpose.REGISTRATION, by=by.email, now=now)[0]
    consume_reservations([reserved.reservation_id])
    asset.taxonomy_node_id = node.pk
    asset.layer, asset.category, asset.subcategory = node.layer, node.category_name, node.name
    asset.sequence_number = reserved.number
    asset.name = compose_name(node, reserved.number, asset.components)
    asset.nna_address = node.mfa(reserved.number)
    asset.has_irregular_address = False


def _save(asset: Asset, *, by: User, now: datetime, reason: str = "") -> None:
    asset.updated_at = now
    asset.revision += 1
    asset._history_user = by
    asset._change_reason = reason or None
    asset.save()


def delete_assets(asset_pks: Iterable[int], *, by: User, now: datetime, reason: str = "") -> int:
    """Hide assets from all readers; keep row, number, file and history. Return how many were not deleted before."""
    return _bulk_update_with_history(
        Asset.objects.live().filter(pk__in=list(asset_pks)),
        {"deleted_at": now, "deleted_by": by.email, "deletion_reason": reason[:200]},
        by=by, now=now, action="deleted", reason=reason,
    )  # fmt: skip


def restore_assets(asset_pks: Iterable[int], *, by: User, now: datetime) -> int:
    """Restore deleted assets with their names and numbers. Return how many were deleted."""
    return _bulk_update_with_history(
        Asset.objects.deleted().filter(pk__in=list(asset_pks)),
        {"deleted_at": None, "deleted_by": "", "deletion_reason": ""},
        by=by, now=now, action="restored",
    )  # fmt: skip


def curate_assets(asset_pks: Iterable[int], *, by: User, now: datetime) -> int:
    """Curate assets and return how many were not curated before. Raises InvalidInput if a description is empty."""
    assets = Asset.objects.live().filter(pk__in=list(asset_pks))
    undescribed = assets.filter(description="").values_list("name", flat=True).first()
    if undescribed:
        raise InvalidInput(f"{undescribed} has no description and cannot be curated", field="description")
    return _bulk_update_with_history(
        assets.filter(curated_at=None), {"curated_at": now, "curated_by": by.email}, by=by, now=now, action="curated"
    )


def edit_tags(
    asset_pks: Iterable[int], *, add: list[str], remove: list[str], by: User, now: datetime, max_tags: int
) -> int:
    """Add and remove tags; other tags keep their order. Return how many assets changed."""
    with transaction.atomic():
        changed = []
        for asset in Asset.objects.live().filter(pk__in=list(asset_pks)).select_for_update().order_by("pk"):
            tags = [tag for tag in asset.tags if tag not in remove]
            tags += [tag for tag in dict.fromkeys(add) if tag not in tags]
            if len(tags) > max_tags:
                raise InvalidInput(f"{asset.name} would have {len(tags)} tags (maximum {max_tags})", field="tags")
            if tags != asset.tags:
                asset.tags, asset.updated_at, asset.revision = tags, now, asset.revision + 1
                changed.append(asset)
        bulk_update_with_history(
            changed, Asset, ["tags", "updated_at", "revision"], batch_size=500, default_user=by,
            default_change_reason="tags edited in bulk",
        )  # fmt: skip
    log.info("tags edited", extra={"assets": len(changed), "by": by.public_id})
    return len(changed)


@transaction.atomic
def _bulk_update_with_history(
    assets: Any, values: dict[str, Any], *, by: User, now: datetime, action: str, reason: str = ""
) -> int:
    rows = list(assets.select_for_update().order_by("pk"))
    lock_counters(row.taxonomy_node_id for row in rows)
    for row in rows:
        for name, value in values.items():
            setattr(row, name, value)
        row.updated_at, row.revision = now, row.revision + 1
    bulk_update_with_history(
        rows, Asset, [*values, "updated_at", "revision"], batch_size=500, default_user=by,
        default_change_reason=reason[:100] or action,
    )  # fmt: skip
    if rows:
        log.info(
            "assets changed",
            extra={"action": action, "assets": len(rows), "first": rows[0].name, "by": by.public_id},
        )
    return len(rows)
