from django.apps import AppConfig


class AlbumartConfig(AppConfig):
    name = "albumart"
    verbose_name = "Album art"

    def ready(self) -> None:
        from albumart.keeper import SongPictures
        from albumart.legacy_songs import LEGACY_SONGS
        from assets.pictures import register_keeper
        from backfills.rules import register_rule

        register_rule(LEGACY_SONGS)
        register_keeper(SongPictures())
