"""The implementation of `assets.album_art_backend.AlbumArtBackend`."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.template.loader import render_to_string

from accounts.models import User
from albumart.api_columns import API_COLUMNS
from albumart.backfill_rules import SONGS
from albumart.models import Artwork
from albumart.queueing import Upload, submit_artwork
from assets.album_art import decode_data_uri, is_data_uri
from assets.models import Asset


class ArtworkBackend:
    """Send album art of songs through the pipeline. Assets of other layers only keep the submitted value."""

    api_columns: Mapping[str, str] = API_COLUMNS

    def is_unchanged(self, asset: Asset, album_art: str | None) -> bool:
        if asset.layer != SONGS:
            return False
        current = Artwork.objects.current().filter(asset=asset).first()
        if current is None:
            return False
        if not album_art:  # a form sends back the null that it was shown while an upload was pending
            return current.is_open and not current.source_url and not asset.album_art
        urls = {settings.MEDIA_PUBLIC_URL + key for key in current.files.values_list("key", flat=True)}
        return album_art in urls or album_art == current.source_url

    def value_to_keep(self, asset: Asset, album_art: str | None) -> str | None:
        return None if asset.layer == SONGS and album_art and is_data_uri(album_art) else album_art

    def album_art_changed(self, asset: Asset, album_art: str | None, *, by: User, now: datetime) -> None:
        if asset.layer != SONGS:
            return
        upload = Upload(*decode_data_uri(album_art)) if album_art and is_data_uri(album_art) else None
        submit_artwork(asset, upload=upload, url=album_art, trigger=Artwork.Trigger.CLIENT, by=by.email, now=now)

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
