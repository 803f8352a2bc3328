from django.apps import AppConfig


class AlbumartConfig(AppConfig):
    name = "albumart"
    verbose_name = "Album art"

    def ready(self) -> None:
        from albumart.keeper import SongPictures
        from assets.pictures import register_keeper

        register_keeper(SongPictures())
