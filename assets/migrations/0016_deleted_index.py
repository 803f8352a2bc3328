from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("assets", "0015_search_chunk_statistics")]

    operations = [
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(
                F("created_at").desc(),
                F("public_id").desc(),
                name="assets_deleted_newest",
                condition=Q(deleted_at__isnull=False),
            ),
        ),
    ]
