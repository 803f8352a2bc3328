"""Mark tables that already hold assets: migration 0008 fills their legacy values.

The values were filled here until the backfill tables were renamed. The engine needs the renamed tables, and a database
that ran this migration before must not be filled a second time, so the mark is set here and read by 0008.
"""

from django.db import migrations

PENDING_COMMENT = "Legacy values pending: migration assets.0008 fills them."
SET_COMMENT = f"COMMENT ON COLUMN assets_asset.ai_metadata_origin IS '{PENDING_COMMENT}'"


def forwards(apps, schema_editor):
    if apps.get_model("assets", "Asset").objects.exists():
        schema_editor.execute(SET_COMMENT)


class Migration(migrations.Migration):
    dependencies = [("assets", "0005_value_origins"), ("backfills", "0001_initial")]

    # The reverse has nothing to undo: the reverse of 0008 already removed the filled values.
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
