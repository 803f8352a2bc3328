"""Fill the fields that legacy assets never had, in batches; the reverse removes the filled values.

Depends on the newest schema of the backfill tables: the engine works with it, also through historical models.
Fills only a table that migration 0006 marked. A database that is upgraded from a release that had 0006 is not marked,
because its values were filled then, and rows imported since are left to `backfill_assets`.
"""

import sys
from importlib import import_module

from django.conf import settings
from django.db import migrations

from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE
from backfills.engine.data_migrations import run_in_migration, undo_in_migration

_mark = import_module("assets.migrations.0006_legacy_values")
_READ_COMMENT = """
SELECT col_description('assets_asset'::regclass, attnum) FROM pg_attribute
WHERE attrelid = 'assets_asset'::regclass AND attname = 'ai_metadata_origin'
"""
_CLEAR_COMMENT = "COMMENT ON COLUMN assets_asset.ai_metadata_origin IS NULL"


def _write(text):
    sys.stdout.write(f"\n    {text}")


def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_READ_COMMENT)
        if cursor.fetchone() != (_mark.PENDING_COMMENT,):
            return
    for rule in (CREATOR_DESCRIPTION_RULE, AI_METADATA_RULE):
        run_in_migration(apps, rule, max_rows=settings.ASSETS_MIGRATION_MAX_BACKFILL_ROWS, write=_write)
    schema_editor.execute(_CLEAR_COMMENT)  # last: an interrupted migration continues with its runs


def backwards(apps, schema_editor):
    undone = [undo_in_migration(apps, rule, write=_write) for rule in (AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE)]
    if any(undone):
        schema_editor.execute(_mark.SET_COMMENT)


class Migration(migrations.Migration):
    atomic = False  # each batch is a transaction of its own

    dependencies = [("assets", "0007_field_terms"), ("backfills", "0003_run_terms")]

    operations = [migrations.RunPython(forwards, backwards)]
