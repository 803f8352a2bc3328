"""One more flag, off: whether pictures are fetched."""

from django.db import migrations

NAME = "album_art_pipeline"


def add_flag(apps, schema_editor):
    apps.get_model("flags", "FieldFlag").objects.get_or_create(name=NAME, defaults={"everyone": False})


def remove_flag(apps, schema_editor):
    apps.get_model("flags", "FieldFlag").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [("flags", "0003_own_shape")]

    operations = [migrations.RunPython(add_flag, remove_flag)]
