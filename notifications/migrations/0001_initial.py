"""Take the notification model over from bugreports. The table stays; the content type moves with its permissions."""

from django.db import migrations, models


def _move_content_type(apps, source, target):
    ContentType = apps.get_model("contenttypes", "ContentType")
    moved = ContentType.objects.filter(app_label=source, model="notification").first()
    if moved is None:
        return
    ContentType.objects.filter(app_label=target, model="notification").delete()
    moved.app_label = target
    moved.save(update_fields=["app_label"])


def forwards(apps, schema_editor):
    _move_content_type(apps, "bugreports", "notifications")


def backwards(apps, schema_editor):
    _move_content_type(apps, "notifications", "bugreports")


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("bugreports", "0003_field_terms"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Notification",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("kind", models.CharField(max_length=10)),
                        ("key", models.CharField(max_length=200, unique=True)),
                        ("body", models.JSONField(default=dict)),
                        (
                            "status",
                            models.CharField(
                                choices=[("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Failed")],
                                default="waiting",
                                max_length=10,
                            ),
                        ),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("written_at", models.DateTimeField()),
                        ("next_attempt_at", models.DateTimeField()),
                        ("sent_at", models.DateTimeField(null=True)),
                        ("last_error", models.CharField(blank=True, max_length=300)),
                    ],
                    options={
                        "db_table": "bugreports_notification",
                        "ordering": ["-pk"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("status", "waiting")),
                                fields=["next_attempt_at"],
                                name="bugreports_notice_due",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("status__in", ["waiting", "sent", "failed"])),
                                name="bugreports_notice_status_known",
                            )
                        ],
                    },
                ),
            ],
        ),
        migrations.RunPython(forwards, backwards),
    ]
