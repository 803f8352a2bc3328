"""Keep the songs of a cohort as rows. An array grew with each batch and was written whole each time."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

MOVE_TO_ROWS = """
INSERT INTO albumart_artworkcohortsong (cohort_id, asset_pk)
SELECT DISTINCT cohort.id, pk FROM albumart_artworkcohort AS cohort, unnest(cohort.asset_pks) AS pk ORDER BY 1, 2
"""
MOVE_TO_ARRAYS = """
UPDATE albumart_artworkcohort AS cohort SET asset_pks = (
    SELECT array_agg(asset_pk ORDER BY asset_pk) FROM albumart_artworkcohortsong WHERE cohort_id = cohort.id
) WHERE EXISTS (SELECT FROM albumart_artworkcohortsong WHERE cohort_id = cohort.id);
SET CONSTRAINTS ALL IMMEDIATE
"""


class Migration(migrations.Migration):
    dependencies = [("albumart", "0009_artwork_error_index")]

    operations = [
        migrations.CreateModel(
            name="ArtworkCohortSong",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asset_pk", models.BigIntegerField()),
                (
                    "cohort",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="songs",
                        to="albumart.artworkcohort",
                    ),
                ),
            ],
            options={
                "verbose_name": "song of a cohort",
                "verbose_name_plural": "songs of a cohort",
                "constraints": [
                    models.UniqueConstraint(fields=("cohort", "asset_pk"), name="albumart_cohort_song_once")
                ],
            },
        ),
        # The checks of deferred foreign keys must run before the next operation alters the table.
        migrations.RunSQL(MOVE_TO_ROWS + "; SET CONSTRAINTS ALL IMMEDIATE", MOVE_TO_ARRAYS),
        migrations.RemoveField(model_name="artworkcohort", name="asset_pks"),
    ]
