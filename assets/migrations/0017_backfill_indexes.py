"""Index which assets lack a backfilled field, and where the AI metadata of the others comes from.

The checks before a rollout and the metrics of the fields read these instead of all assets. Building them locks the table
for writes: about 2 s for a million assets.
"""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("assets", "0016_deleted_index")]

    operations = [
        migrations.AddIndex(
            "asset",
            models.Index(
                fields=["origin"], name="assets_lacking_description", condition=Q(creator_description__isnull=True)
            ),
        ),
        migrations.AddIndex(
            "asset",
            models.Index(fields=["origin"], name="assets_lacking_ai_metadata", condition=Q(ai_metadata__isnull=True)),
        ),
        migrations.AddIndex(
            "asset",
            models.Index(
                fields=["ai_metadata_origin"],
                name="assets_ai_metadata_origin",
                condition=Q(deleted_at=None) & Q(ai_metadata__isnull=False),
            ),
        ),
    ]
