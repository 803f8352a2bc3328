import django.db.models.deletion
from django.db import migrations, models

MODELS = {"notice": "notification", "fileremoval": "pendingfiledeletion"}
STATUSES = {"died": "interrupted", "refused": "aborted"}
ACTORS = {"clock": "schedule"}
DIGEST_KEYS = {"person": "user"}


def _reversed(names):
    return {new: old for old, new in names.items()}


def rename_permissions(apps, names):
    """Rename the code names in place: RenameModel moves the content type, and Django leaves its permissions."""
    Permission = apps.get_model("auth", "Permission")
    for old, new in names.items():
        for action in ("add", "change", "delete", "view"):
            found = Permission.objects.filter(content_type__app_label="bugreports", codename=f"{action}_{old}")
            found.update(codename=f"{action}_{new}", name=f"Can {action} {new}")


def rename_values(apps, statuses, actors, digest_keys):
    PurgeRun = apps.get_model("bugreports", "PurgeRun")
    for old, new in statuses.items():
        PurgeRun.objects.filter(status=old).update(status=new)
    for old, new in actors.items():
        PurgeRun.objects.filter(requested_by=old).update(requested_by=new)
    for digest in apps.get_model("bugreports", "Notification").objects.filter(kind="digest"):
        digest.body = {digest_keys.get(key, key): value for key, value in digest.body.items()}
        digest.save(update_fields=["body"])


def forwards(apps, schema_editor):
    rename_permissions(apps, MODELS)
    rename_values(apps, STATUSES, ACTORS, DIGEST_KEYS)


def backwards(apps, schema_editor):
    rename_permissions(apps, _reversed(MODELS))
    rename_values(apps, _reversed(STATUSES), _reversed(ACTORS), _reversed(DIGEST_KEYS))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("bugreports", "0002_groups"),
    ]

    operations = [
        migrations.RenameModel(
            old_name="Notice",
            new_name="Notification",
        ),
        migrations.RenameModel(
            old_name="FileRemoval",
            new_name="PendingFileDeletion",
        ),
        migrations.RenameField(
            model_name="purgerun",
            old_name="takes_open",
            new_name="includes_open",
        ),
        migrations.RenameField(
            model_name="bugreportgroup",
            old_name="lead",
            new_name="canonical_report",
        ),
        migrations.AlterField(
            model_name="bugreportgroup",
            name="canonical_report",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="canonical_for_groups",
                to="bugreports.bugreport",
            ),
        ),
        migrations.AlterField(
            model_name="purgerun",
            name="status",
            field=models.CharField(
                choices=[
                    ("running", "Running"),
                    ("done", "Done"),
                    ("interrupted", "Interrupted"),
                    ("aborted", "Aborted"),
                ],
                default="running",
                max_length=12,
            ),
        ),
        migrations.RunPython(forwards, backwards),
    ]
