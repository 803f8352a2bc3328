"""Say of two values whether a person sent them or a backfill made them up; only a person's are searched.

The search column is made anew, another one holds all texts in one for whoever may search them all, and the indexes are
made anew with them: the table is written and locked meanwhile.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models
from django.db.migrations.exceptions import IrreversibleError
from django.db.models.fields.json import KeyTextTransform

SEARCHED = ("search_text", "creator_search_text", "ai_search_text", "full_search_text")
# As the documents of 0001: a line each, lower case, `_` and `-` as spaces.
MAKE_FULL_DOCUMENT = r"""
CREATE FUNCTION assets_search_document(
    name text, address text, category text, subcategory text, description text, tags text[], creator text,
    generated text, mood text, genre text
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT translate(
    lower(concat_ws(E'\n', name, address, category, subcategory, description, array_to_string(tags, E'\n'), creator,
                    generated, mood, genre)),
    '_-', '  ') $$;
"""
DROP_FULL_DOCUMENT = (
    "DROP FUNCTION assets_search_document(text, text, text, text, text, text[], text, text, text, text)"
)


def _persons_words() -> models.Case:
    return models.Case(
        models.When(creator_description_origin="", then=models.F("creator_description")),
        output_field=models.TextField(),
    )


def _document(*texts: object) -> models.GeneratedField:
    return models.GeneratedField(
        db_persist=True,
        expression=models.Func(*texts, function="assets_search_document", output_field=models.TextField()),
        output_field=models.TextField(),
    )


def _origin() -> models.CharField:
    return models.CharField(blank=True, db_default="", default="", editable=False, max_length=10)


def refuse_while_filled(apps, schema_editor):
    """Without its mark a value that a backfill made up would pass for a person's."""
    filled = apps.get_model("assets", "Asset").objects.exclude(creator_description_origin="", ai_metadata_origin="")
    if count := filled.count():
        raise IrreversibleError(f"{count} assets hold values of backfills; undo those first (`backfill undo RULE`)")


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
        migrations.AddField("asset", "creator_search_text", _document(_persons_words())),
        migrations.RunSQL(MAKE_FULL_DOCUMENT, DROP_FULL_DOCUMENT),
        migrations.AddField(
            "asset",
            "full_search_text",
            _document(
                *[models.F(name) for name in ("name", "nna_address", "category", "subcategory", "description", "tags")],
                _persons_words(),
                *[KeyTextTransform(key, "ai_metadata") for key in ("generatedDescription", "mood", "genre")],
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
        # Last here is first when migrating back.
        migrations.RunPython(migrations.RunPython.noop, refuse_while_filled),
    ]
