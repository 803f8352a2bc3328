"""The interface of the app that stores album art. That app registers its backend; this app does not import it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from django.db.models import Q

from accounts.models import User
from assets.models import Asset


class AlbumArtBackend(Protocol):
    # API key -> SQL of its JSON value, selected from assets_asset. `%s` stands for the public URL of stored files.
    api_columns: Mapping[str, str]

    def is_unchanged(self, asset: Asset, album_art: str | None) -> bool:
        """True if `album_art`, sent by an edit form, repeats what the asset shows or a value sent before."""

    def value_to_keep(self, asset: Asset, album_art: str | None) -> str | None:
        """Return what the asset row stores: None for image bytes, which the backend stores itself."""

    def album_art_changed(self, asset: Asset, album_art: str | None, *, by: User, now: datetime) -> None:
        """Process the submitted value; None removes the album art. Runs in the transaction that saved the asset."""

    def has_artwork_q(self) -> Q:
        """Return the condition for assets with stored artwork."""

    def render_admin_panel(self, asset: Asset) -> str:
        """Return the artwork and its state as safe HTML for the admin; "" if the asset cannot have artwork."""


_backends: list[AlbumArtBackend] = []


def set_album_art_backend(backend: AlbumArtBackend) -> None:
    """Install the one backend. Call it in `AppConfig.ready`; a later call replaces the backend."""
    _backends[:] = [backend]


def get_album_art_backend() -> AlbumArtBackend | None:
    return _backends[0] if _backends else None


def album_art_to_keep(asset: Asset, album_art: str | None) -> str | None:
    backend = get_album_art_backend()
    return backend.value_to_keep(asset, album_art) if backend else album_art


def notify_album_art_changed(asset: Asset, album_art: str | None, *, by: User, now: datetime) -> None:
    if backend := get_album_art_backend():
        backend.album_art_changed(asset, album_art, by=by, now=now)


def is_album_art_unchanged(asset: Asset, album_art: str | None) -> bool:
    backend = get_album_art_backend()
    return backend is not None and backend.is_unchanged(asset, album_art)
