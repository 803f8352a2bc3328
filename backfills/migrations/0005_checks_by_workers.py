"""Columns for plans and starts that a worker checks, with its progress."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("backfills", "0004_stored_terms")]

    operations = [
        migrations.AddField(
            model_name="backfillrun",
            name="checked_rows",
            field=models.PositiveBigIntegerField(
                db_default=0, default=0, help_text="Rows that a worker has checked for the plan or the start."
            ),
        ),
        migrations.AddField(
            model_name="backfillrun",
            name="start_requested_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="backfillrun",
            name="start_requested_by",
            field=models.CharField(blank=True, db_default="", max_length=254),
        ),
    ]
