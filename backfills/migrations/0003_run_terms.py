import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("backfills", "0002_field_terms"),
    ]

    operations = [
        migrations.RenameField(
            model_name="backfillrun",
            old_name="worker",
            new_name="lease_token",
        ),
        migrations.RenameField(
            model_name="backfillbatch",
            old_name="parked",
            new_name="failed",
        ),
        migrations.RenameField(
            model_name="backfillglobalpause",
            old_name="held_by",
            new_name="paused_by",
        ),
        migrations.RenameField(
            model_name="backfillglobalpause",
            old_name="held_at",
            new_name="paused_at",
        ),
        migrations.RenameField(
            model_name="backfillevent",
            old_name="at",
            new_name="created_at",
        ),
        migrations.RenameField(
            model_name="backfillevent",
            old_name="text",
            new_name="message",
        ),
        migrations.RenameField(
            model_name="backfillevent",
            old_name="kind",
            new_name="event_type",
        ),
        migrations.AlterModelOptions(
            name="backfillrowerror",
            options={"ordering": ["run", "row_pk"], "verbose_name": "failed row"},
        ),
        migrations.AlterModelOptions(
            name="backfillrun",
            options={
                "ordering": ["-created_at", "-pk"],
                "permissions": [
                    ("control_backfillrun", "Can plan, start, pause, resume and cancel runs"),
                    ("undo_backfillrun", "Can undo, finalise and reopen runs"),
                ],
                "verbose_name": "run",
            },
        ),
        migrations.AlterField(
            model_name="backfillcolumnlock",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="column_locks", to="backfills.backfillrun"
            ),
        ),
        migrations.AlterField(
            model_name="backfillrowerror",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="row_errors",
                to="backfills.backfillrun",
            ),
        ),
        migrations.AlterField(
            model_name="backfillrun",
            name="baseline_p95_ms",
            field=models.FloatField(
                blank=True,
                help_text="p95 of API reads in the five minutes before the start, in milliseconds.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="backfillrun",
            name="batch_size",
            field=models.PositiveIntegerField(
                default=100,
                help_text="Rows per batch.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(5000),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="backfillrun",
            name="sleep_ratio",
            field=models.FloatField(
                default=0,
                help_text="Pause after each batch, as a multiple of the batch's duration.",
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(20)],
            ),
        ),
    ]
