from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("assets", "0014_search_table")]

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
