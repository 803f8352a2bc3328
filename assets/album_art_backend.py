"""Who keeps the pictures of assets. The app above registers its keeper; nothing here imports it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from django.db.models import Q

from accounts.models import User
from assets.models import Asset


class AlbumArtBackend(Protocol):
    """What the registry asks of the app that keeps pictures."""

    # Wire key -> SQL of its JSON, over a row of assets_asset. `%s` stands for the public address of stored files.
    api_columns: Mapping[str, str]

    def is_unchanged(self, asset: Asset, album_art: str | None) -> bool:
        """Whether `album_art`, sent by an edit form, only repeats what the asset shows or was given before."""

    def album_art_changed(self, asset: Asset, *, by: User, now: datetime) -> None:
        """The asset's `album_art` was just set or emptied. Called inside the verb's transaction; never refuses."""

    def has_artwork_q(self) -> Q:
        """The condition on assets whose picture is stored."""

    def describe(self, asset: Asset) -> str:
        """The picture and its state for staff, as safe HTML; "" for an asset that has none."""


_keepers: list[AlbumArtBackend] = []


def set_album_art_backend(keeper: AlbumArtBackend) -> None:
    """Call it in `AppConfig.ready`. There is one keeper; the last one registered counts."""
    _keepers[:] = [keeper]


def get_album_art_backend() -> AlbumArtBackend | None:
    return _keepers[0] if _keepers else None


def notify_album_art_changed(asset: Asset, *, by: User, now: datetime) -> None:
    for keeper in _keepers:
        keeper.album_art_changed(asset, by=by, now=now)


def is_album_art_unchanged(asset: Asset, album_art: str | None) -> bool:
    return any(keeper.is_unchanged(asset, album_art) for keeper in _keepers)
