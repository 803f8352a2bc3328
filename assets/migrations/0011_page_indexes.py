"""Give each filter and sort of the lists an index in page order, and drop the indexes that no query reads.

Building the indexes locks the table for writes: about 10 s for a million assets.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Upper

# Django makes an index for prefix searches (LIKE 'text%') of each unique text. No query searches prefixes.
_PREFIX_INDEXES = {
    "public_id": "assets_asset_public_id_f569762c_like",
    "base_name": "assets_asset_base_name_8d07891e_like",
    "nna_address": "assets_asset_nna_address_6f42650d_like",
}
_OPCLASS = {"public_id": "varchar_pattern_ops", "base_name": "text_pattern_ops", "nna_address": "varchar_pattern_ops"}
# Lists read indexes alone, without the table, where the visibility map says that all readers see a page. Vacuum keeps
# the map; by default it waits for 20 % changed rows, 200,000 of a million.
_SETTINGS = (
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_analyze_scale_factor",
)


def _newest_first(name, *columns, condition=None, include=()):
    live = Q(deleted_at=None)
    return migrations.AddIndex(
        "asset",
        models.Index(
            *columns,
            F("created_at").desc(),
            F("public_id").desc(),
            name=name,
            condition=live & condition if condition else live,
            include=include,
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("assets", "0010_remove_image_bytes"), ("taxonomy", "0001_initial")]

    operations = [
        migrations.RemoveIndex("asset", "assets_registrant"),
        *[
            migrations.RunSQL(
                f"DROP INDEX IF EXISTS {index}",
                f"CREATE INDEX IF NOT EXISTS {index} ON assets_asset ({column} {_OPCLASS[column]})",
            )
            for column, index in _PREFIX_INDEXES.items()
        ],
        migrations.AlterField("asset", "name", models.CharField(max_length=512, verbose_name="HFN")),
        migrations.AlterField("historicalasset", "name", models.CharField(max_length=512, verbose_name="HFN")),
        migrations.AddConstraint(
            "asset",
            models.UniqueConstraint(fields=["name"], include=["public_id", "deleted_at"], name="assets_name_once"),
        ),
        migrations.AlterField(
            "asset",
            "taxonomy_node",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assets",
                to="taxonomy.subcategory",
            ),
        ),
        _newest_first("assets_registrant_newest", Upper("registered_by"), include=["registered_by"]),
        _newest_first("assets_curated_newest", condition=Q(curated_at__isnull=False)),
        _newest_first("assets_album_art_newest", condition=Q(album_art__isnull=False)),
        _newest_first("assets_no_album_art_newest", condition=Q(album_art=None)),
        _newest_first(
            "assets_description_newest",
            condition=Q(creator_description__isnull=False),
            include=["creator_description_origin"],
        ),
        _newest_first("assets_no_description_newest", condition=Q(creator_description=None)),
        migrations.AddIndex(
            "asset",
            models.Index(
                F("updated_at").desc(), F("public_id").desc(), name="assets_updated", condition=Q(deleted_at=None)
            ),
        ),
        migrations.RunSQL(
            f"ALTER TABLE assets_asset SET ({', '.join(f'{name} = 0.02' for name in _SETTINGS)})",
            f"ALTER TABLE assets_asset RESET ({', '.join(_SETTINGS)})",
        ),
    ]
