"""Register assets: check, reserve a number, store the file, insert the row. A batch takes the same path."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction

from accounts.models import User
from assets.album_art_backend import album_art_to_keep, notify_album_art_changed
from assets.components import clean_components
from assets.errors import DuplicateAddress
from assets.media_storage import delete_media, save_media
from assets.media_types import HEAD_BYTES, MediaType, validate_media
from assets.models import Asset, SequenceReservation
from assets.sequences import ReservedNumber, consume_reservations, lock_counters, reserve_numbers
from common.errors import InvalidInput, PayloadTooLarge
from taxonomy.snapshot import Node, TaxonomySnapshot

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RegistrationData:
    """A request to register one asset, checked by the serializer. The taxonomy is in any spelling that resolves."""

    file: File
    layer: str
    category: str
    subcategory: str
    description: str
    source: str = "ReViz"
    tags: Sequence[str] = ()
    training_data: dict[str, Any] | None = None
    rights: dict[str, Any] | None = None
    components: Sequence[str] = ()
    creator_description: str | None = None
    album_art: str | None = None
    ai_metadata: dict[str, Any] | None = None


@dataclass
class _Draft:
    data: RegistrationData
    node: Node
    media_type: MediaType
    components: list[str]
    reserved: ReservedNumber | None = None
    asset: Asset = field(default_factory=Asset)

    def name(self, number: int) -> str:
        return compose_name(self.node, number, self.components)

    def media_key(self, number: int) -> str:
        node = self.node
        return f"{node.layer}/{node.category_code}/{node.code}/{self.name(number)}.{self.media_type.extension}"


def register_asset(data: RegistrationData, *, by: User, taxonomy: TaxonomySnapshot, now: datetime) -> Asset:
    """Return the new asset, stored and committed.

    Raises InvalidInput (taxonomy, components), MediaTypeNotAllowed, PayloadTooLarge, Unavailable (storage). A failure
    after the number was reserved leaves the reservation, which explains the gap, and no file.
    """
    return register_assets([data], by=by, taxonomy=taxonomy, now=now)[0]


def register_assets(
    items: Sequence[RegistrationData],
    *,
    by: User,
    taxonomy: TaxonomySnapshot,
    now: datetime,
    describe_error: Callable[[int, InvalidInput], InvalidInput] | None = None,
) -> list[Asset]:
    """Register all items or none. `describe_error(position, error)` adds the position of the item to an error."""
    drafts = []
    for position, data in enumerate(items):
        try:
            drafts.append(_check(data, taxonomy))
        except InvalidInput as error:
            raise (describe_error(position, error) if describe_error else error) from error
    numbers = reserve_numbers(
        [draft.node.pk for draft in drafts],
        purpose=SequenceReservation.Purpose.REGISTRATION,
        by=by.email,
        now=now,
        media_key=lambda position, number: drafts[position].media_key(number),
    )
    for draft, reserved in zip(drafts, numbers, strict=True):
        draft.reserved = reserved
        draft.asset = _build_asset(draft, by=by, now=now)
    stored: list[str] = []
    try:
        for draft in drafts:
            draft.data.file.seek(0)
            save_media(key=draft.asset.media_key, content=draft.data.file, mime_type=draft.media_type.mime_type)
            stored.append(draft.asset.media_key)
        _insert(drafts, by=by)
    except BaseException:
        for key in stored:
            delete_media(key)
        raise
    for draft in drafts:
        log.info("asset registered", extra={"asset": draft.asset.name, "by": by.public_id})
    return [draft.asset for draft in drafts]


def _check(data: RegistrationData, taxonomy: TaxonomySnapshot) -> _Draft:
    node = taxonomy.resolve(data.layer, data.category, data.subcategory)
    size = data.file.size or 0
    if size > settings.ASSETS_MAX_FILE_BYTES:
        raise PayloadTooLarge(f"File Too Large: file ends at {settings.ASSETS_MAX_FILE_BYTES} bytes", field="file")
    if size == 0:
        raise InvalidInput("file is empty", field="file")
    data.file.seek(0)
    media_type = validate_media(
        layer=node.layer,
        filename=data.file.name or "",
        head=data.file.read(HEAD_BYTES),
        is_whole=size <= HEAD_BYTES,
        is_enforced=settings.ASSETS_ENFORCE_MEDIA_TYPES,
    )
    components = clean_components(data.components, layer=node.layer, taxonomy=taxonomy)
    return _Draft(data, node, media_type, components)


def _build_asset(draft: _Draft, *, by: User, now: datetime) -> Asset:
    data, node, number = draft.data, draft.node, draft.reserved.number  # type: ignore[union-attr]
    asset = Asset(
        layer=node.layer,
        category=node.category_name,
        subcategory=node.name,
        taxonomy_node_id=node.pk,
        sequence_number=number,
        name=draft.name(number),
        nna_address=node.mfa(number),
        media_key=draft.media_key(number),
        mime_type=draft.media_type.mime_type,
        file_size=data.file.size,
        original_filename=(data.file.name or "")[-255:],
        source=data.source,
        description=data.description,
        tags=list(data.tags),
        training_data=data.training_data,
        rights=data.rights,
        components=draft.components,
        creator_description=data.creator_description,
        ai_metadata=data.ai_metadata,
        registered_by=by.email,
        created_at=now,
        updated_at=now,
    )
    asset.album_art = album_art_to_keep(asset, data.album_art)
    return asset


def compose_name(node: Node, number: int, components: Sequence[str]) -> str:
    """Return the HFN; the name of a composite also contains the addresses of its components."""
    base = node.hfn(number)
    return ":".join([base, *components]) if node.layer == "C" and components else base


@transaction.atomic
def _insert(drafts: Sequence[_Draft], *, by: User) -> None:
    consume_reservations([draft.reserved.reservation_id for draft in drafts])  # type: ignore[union-attr]
    if len(drafts) > 1:
        lock_counters(draft.node.pk for draft in drafts)
    for draft in drafts:
        draft.asset._history_user = by
        try:
            draft.asset.save(force_insert=True)
        except IntegrityError as error:
            raise DuplicateAddress(f"{draft.asset.name} is taken already") from error
        if draft.data.album_art:
            notify_album_art_changed(draft.asset, draft.data.album_art, by=by, now=draft.asset.created_at)
