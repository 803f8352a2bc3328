from django.apps import AppConfig


class AlbumartConfig(AppConfig):
    name = "albumart"
    verbose_name = "Album art"

    def ready(self) -> None:
        from albumart.backend import ArtworkBackend
        from albumart.backfill_rules import LEGACY_SONGS, artwork_backfill_pending
        from albumart.metrics import pipeline_metrics
        from assets.album_art_backend import set_album_art_backend
        from assets.rollout_guards import MAX_PERCENT_BEFORE_BACKFILL
        from backfills.rules import register_rule
        from common.metrics import register_metrics
        from flags.guards import register_guard
        from flags.registry import ALBUM_ART

        register_rule(LEGACY_SONGS)
        register_guard(ALBUM_ART, MAX_PERCENT_BEFORE_BACKFILL, artwork_backfill_pending)
        set_album_art_backend(ArtworkBackend())
        register_metrics("album-art", pipeline_metrics)
