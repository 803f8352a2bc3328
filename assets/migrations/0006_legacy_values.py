"""Does nothing. Migration 0008 fills the legacy values, after the tables of the backfill runs were renamed."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("assets", "0005_value_origins"), ("backfills", "0001_initial")]

    operations = [migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)]
