"""Register an asset: resolve, check, number, store, insert. One road for one asset and for a batch."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction

from accounts.models import User
from assets.album_art_backend import notify_album_art_changed
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
    """What somebody wants registered, checked for shape, not yet for sense. Taxonomy in any spelling we resolve."""

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
    wish: RegistrationData
    node: Node
    media_type: MediaType
    components: list[str]
    reserved: ReservedNumber | None = None
    media_key: str = ""
    asset: Asset = field(default_factory=Asset)


def register_asset(wish: RegistrationData, *, by: User, directory: TaxonomySnapshot, now: datetime) -> Asset:
    """The new asset, stored and committed.

    Raises InvalidInput (taxonomy, components), MediaTypeNotAllowed, PayloadTooLarge, Unavailable (storage). An error
    after the number was reserved leaves the reservation, which explains the gap, and no file.
    """
    return register_assets([wish], by=by, directory=directory, now=now)[0]


def register_assets(
    wishes: Sequence[RegistrationData],
    *,
    by: User,
    directory: TaxonomySnapshot,
    now: datetime,
    describe_error: Callable[[int, InvalidInput], InvalidInput] | None = None,
) -> list[Asset]:
    """All of them or none. `describe_error` may say in a refusal which of the wishes was refused."""
    drafts = []
    for position, wish in enumerate(wishes):
        try:
            drafts.append(_check(wish, directory))
        except InvalidInput as error:
            raise (describe_error(position, error) if describe_error else error) from error
    numbers = reserve_numbers(
        [draft.node.pk for draft in drafts], purpose=SequenceReservation.Purpose.REGISTRATION, by=by.email, now=now
    )
    for draft, reserved in zip(drafts, numbers, strict=True):
        draft.reserved = reserved
        draft.asset = _build(draft, by=by, now=now)
    _remember_keys(drafts)
    stored: list[str] = []
    try:
        for draft in drafts:
            draft.wish.file.seek(0)
            save_media(key=draft.media_key, content=draft.wish.file, mime_type=draft.media_type.mime_type)
            stored.append(draft.media_key)
        _insert(drafts, by=by)
    except BaseException:
        for key in stored:
            delete_media(key)
        raise
    for draft in drafts:
        log.info("asset registered", extra={"asset": draft.asset.name, "by": by.public_id})
    return [draft.asset for draft in drafts]


def _check(wish: RegistrationData, directory: TaxonomySnapshot) -> _Draft:
    node = directory.resolve(wish.layer, wish.category, wish.subcategory)
    size = wish.file.size or 0
    if size > settings.ASSETS_MAX_FILE_BYTES:
        raise PayloadTooLarge(f"File Too Large: file ends at {settings.ASSETS_MAX_FILE_BYTES} bytes", field="file")
    if size == 0:
        raise InvalidInput("file is empty", field="file")
    wish.file.seek(0)
    media_type = validate_media(
        layer=node.layer,
        filename=wish.file.name or "",
        head=wish.file.read(HEAD_BYTES),
        is_whole=size <= HEAD_BYTES,
        is_enforced=settings.ASSETS_ENFORCE_MEDIA_TYPES,
    )
    components = clean_components(wish.components, layer=node.layer, directory=directory)
    return _Draft(wish, node, media_type, components)


def _build(draft: _Draft, *, by: User, now: datetime) -> Asset:
    wish, node, number = draft.wish, draft.node, draft.reserved.number  # type: ignore[union-attr]
    name = compose_name(node, number, draft.components)
    draft.media_key = f"{node.layer}/{node.category_code}/{node.code}/{name}.{draft.media_type.extension}"
    return Asset(
        layer=node.layer,
        category=node.category_name,
        subcategory=node.name,
        taxonomy_node_id=node.pk,
        sequence_number=number,
        name=name,
        nna_address=node.mfa(number),
        media_key=draft.media_key,
        mime_type=draft.media_type.mime_type,
        file_size=wish.file.size,
        original_filename=(wish.file.name or "")[-255:],
        source=wish.source,
        description=wish.description,
        tags=list(wish.tags),
        training_data=wish.training_data,
        rights=wish.rights,
        components=draft.components,
        creator_description=wish.creator_description,
        album_art=wish.album_art,
        ai_metadata=wish.ai_metadata,
        registered_by=by.email,
        created_at=now,
        updated_at=now,
    )


def compose_name(node: Node, number: int, components: Sequence[str]) -> str:
    """The HFN; only a composite's name goes on with its parts."""
    base = node.hfn(number)
    return ":".join([base, *components]) if node.layer == "C" and components else base


def _remember_keys(drafts: Sequence[_Draft]) -> None:
    """Before any byte is stored: whoever cleans up after a crash must know where to look."""
    SequenceReservation.objects.bulk_update(
        [
            SequenceReservation(pk=draft.reserved.reservation_id, media_key=draft.media_key)  # type: ignore[union-attr]
            for draft in drafts
        ],
        ["media_key"],
    )


@transaction.atomic
def _insert(drafts: Sequence[_Draft], *, by: User) -> None:
    consume_reservations([draft.reserved.reservation_id for draft in drafts])  # type: ignore[union-attr]
    if len(drafts) > 1:
        lock_counters(draft.node.pk for draft in drafts)
    for draft in drafts:
        draft.asset._history_user = by
        try:
            with transaction.atomic():
                draft.asset.save(force_insert=True)
        except IntegrityError as error:
            raise DuplicateAddress(f"{draft.asset.name} is taken already") from error
        if draft.asset.album_art:
            notify_album_art_changed(draft.asset, by=by, now=draft.asset.created_at)
