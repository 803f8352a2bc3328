"""The flags the code asks for, all off; somebody switches them on with a reason."""

from django.db import migrations

NAMES = ["ai_metadata", "album_art", "creator_description", "search_creator_description"]


def seed(apps, schema_editor):
    flags = apps.get_model("flags", "FieldFlag")
    flags.objects.bulk_create([flags(name=name, everyone=False) for name in NAMES], ignore_conflicts=True)


def remove(apps, schema_editor):
    apps.get_model("flags", "FieldFlag").objects.filter(name__in=NAMES).delete()


class Migration(migrations.Migration):
    dependencies = [("flags", "0002_own_shape")]

    operations = [migrations.RunPython(seed, remove)]
