"""Drop the columns that the backfill run of a cohort has; require the run, and the end of each claim."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("albumart", "0007_convert_artwork_runs")]

    operations = [
        migrations.RemoveField("artworkcohort", "reason"),
        migrations.RemoveField("artworkcohort", "requested_by"),
        migrations.RemoveField("artworkcohort", "requested_at"),
        migrations.RemoveField("artworkcohort", "paused_at"),
        migrations.AlterField(
            model_name="artworkcohort",
            name="run",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="artwork_cohort", to="backfills.backfillrun"
            ),
        ),
        migrations.AddIndex(
            model_name="artwork",
            index=models.Index(
                condition=models.Q(("status", "running")), fields=["claim_expires_at"], name="albumart_running"
            ),
        ),
        migrations.AddConstraint(
            model_name="artwork",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "running"), _negated=True),
                    models.Q(("claim__isnull", False), ("claim_expires_at__isnull", False)),
                    _connector="OR",
                ),
                name="albumart_running_is_claimed",
            ),
        ),
    ]
