"""Say of two values whether a person sent them or a backfill made them up; only a person's are searched.

The search column is made anew, and the indexes over it with it: the table is written once and locked meanwhile.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

SEARCHED = ("search_text", "creator_search_text", "ai_search_text")


def _origin() -> models.CharField:
    return models.CharField(blank=True, db_default="", default="", editable=False, max_length=10)


class Migration(migrations.Migration):
    dependencies = [("assets", "0004_song_json")]

    operations = [
        *[
            migrations.AddField(model, f"{value}_origin", _origin())
            for model in ("asset", "historicalasset")
            for value in ("creator_description", "ai_metadata")
        ],
        migrations.AddConstraint(
            "asset",
            models.CheckConstraint(
                condition=models.Q(creator_description_origin="")
                | models.Q(creator_description_origin="backfill", creator_description__isnull=False),
                name="assets_creator_description_origin",
            ),
        ),
        migrations.AddConstraint(
            "asset",
            models.CheckConstraint(
                condition=models.Q(ai_metadata_origin="")
                | models.Q(ai_metadata_origin="backfill", ai_metadata__isnull=False),
                name="assets_ai_metadata_origin",
            ),
        ),
        migrations.RemoveIndex("asset", "assets_search_substring"),
        migrations.RemoveIndex("asset", "assets_search_words"),
        migrations.RemoveField("asset", "creator_search_text"),
        migrations.AddField(
            "asset",
            "creator_search_text",
            models.GeneratedField(
                db_persist=True,
                expression=models.Func(
                    models.Case(
                        models.When(creator_description_origin="", then=models.F("creator_description")),
                        output_field=models.TextField(),
                    ),
                    function="assets_search_document",
                    output_field=models.TextField(),
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            "asset",
            django.contrib.postgres.indexes.GinIndex(
                *[django.contrib.postgres.indexes.OpClass(column, name="gin_trgm_ops") for column in SEARCHED],
                name="assets_search_substring",
            ),
        ),
        migrations.AddIndex(
            "asset",
            django.contrib.postgres.indexes.GinIndex(
                *[django.contrib.postgres.search.SearchVector(column, config="english") for column in SEARCHED],
                name="assets_search_words",
            ),
        ),
    ]
