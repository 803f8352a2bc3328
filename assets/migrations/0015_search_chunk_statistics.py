"""Let PostgreSQL know how few chunks a count of a search has: without it, it expects one for each asset and plans no
parallel scan.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("assets", "0014_search_table")]

    operations = [
        migrations.RunSQL(
            "CREATE STATISTICS assets_search_chunks ON (asset_id >> 12) FROM assets_search; ANALYZE assets_search;",
            "DROP STATISTICS assets_search_chunks;",
        )
    ]
