"""Fill the fields that legacy assets never had, in batches; the reverse removes the filled values.

Depends on the newest schema of the backfill tables: the engine works with it, also through historical models.
"""

import sys

from django.conf import settings
from django.db import migrations

from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE
from backfills.engine.data_migrations import run_in_migration, undo_in_migration


def _write(text):
    sys.stdout.write(f"\n    {text}")


def forwards(apps, schema_editor):
    for rule in (CREATOR_DESCRIPTION_RULE, AI_METADATA_RULE):
        run_in_migration(apps, rule, max_rows=settings.ASSETS_MIGRATION_MAX_BACKFILL_ROWS, write=_write)


def backwards(apps, schema_editor):
    for rule in (AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE):
        undo_in_migration(apps, rule, write=_write)


class Migration(migrations.Migration):
    atomic = False  # each batch is a transaction of its own

    dependencies = [("assets", "0007_field_terms"), ("backfills", "0003_run_terms")]

    operations = [migrations.RunPython(forwards, backwards)]
