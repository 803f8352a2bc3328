from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("albumart", "0008_artwork_cohorts")]

    operations = [
        migrations.AddIndex(
            model_name="artwork",
            index=models.Index(
                fields=["error_code", "-requested_at"], name="albumart_error_newest", condition=Q(error_code__gt="")
            ),
        ),
    ]
