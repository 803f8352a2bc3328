"""Remove the image bytes of data URIs from history rows, and from songs whose artwork has the bytes."""

from django.db import migrations


def remove_data_uris(apps, schema_editor):
    apps.get_model("assets", "HistoricalAsset").objects.filter(album_art__startswith="data:").update(album_art=None)
    uploads = apps.get_model("albumart", "Artwork").objects.filter(source_url="")
    songs = apps.get_model("assets", "Asset").objects.filter(layer="G", album_art__startswith="data:")
    songs.filter(pk__in=uploads.values("asset")).update(album_art=None)


class Migration(migrations.Migration):
    dependencies = [("assets", "0009_labels"), ("albumart", "0004_field_terms")]

    # No reverse: the older code works with empty values, and the bytes do not exist any more.
    operations = [migrations.RunPython(remove_data_uris, migrations.RunPython.noop)]
