"""What the registry asks of us: `assets.album_art_backend.AlbumArtBackend`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.template.loader import render_to_string

from accounts.models import User
from albumart.api_columns import API_COLUMNS
from albumart.models import Artwork
from albumart.queueing import request_artwork, upload_artwork, withdraw_artwork
from albumart.source_urls import decode_data_uri, is_data_uri
from assets.models import Asset

SONGS = "G"


class ArtworkBackend:
    """Pictures of songs go through the pipeline; what other layers are sent is only kept."""

    api_columns: Mapping[str, str] = API_COLUMNS

    def is_unchanged(self, asset: Asset, album_art: str | None) -> bool:
        if asset.layer != SONGS:
            return False
        current = Artwork.objects.current().filter(asset=asset).first()
        if current is None or not album_art:
            return False
        urls = {settings.MEDIA_PUBLIC_URL + key for key in current.files.values_list("key", flat=True)}
        return album_art in urls or album_art == current.source_url

    def album_art_changed(self, asset: Asset, *, by: User, now: datetime) -> None:
        if asset.layer != SONGS:
            return
        asked: dict[str, Any] = {"trigger": Artwork.Trigger.CLIENT, "by": by.email, "now": now}
        if not asset.album_art:
            withdraw_artwork(asset, now=now)
        elif is_data_uri(asset.album_art):
            content, declared_type = decode_data_uri(asset.album_art)
            upload_artwork(asset, content=content, declared_type=declared_type, **asked)
        else:
            request_artwork(asset, source_url=asset.album_art, **asked)

    def has_artwork_q(self) -> Q:
        return Q(Exists(Artwork.objects.current().filter(asset=OuterRef("pk"), status=Artwork.Status.STORED)))

    def render_admin_panel(self, asset: Asset) -> str:
        if asset.layer != SONGS:
            return ""
        artworks = asset.artworks.select_related("source").prefetch_related("files")
        current = artworks.current().first()
        open_one = artworks.open().exclude(pk=current.pk if current else None).first()
        return render_to_string(
            "admin/albumart/asset_panel.html", {"asset": asset, "current": current, "open_one": open_one}
        )
