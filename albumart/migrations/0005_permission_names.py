"""Rename the permissions of the circuit breaker: RenameModel leaves them, so groups would lose these rights."""

from django.db import migrations

CODENAMES = {
    "reset_breaker": "reset_circuit",
    "add_breakerchange": "add_circuitchange",
    "change_breakerchange": "change_circuitchange",
    "delete_breakerchange": "delete_circuitchange",
    "view_breakerchange": "view_circuitchange",
}


def rename(apps, codenames):
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="albumart")
    for old, new in codenames.items():
        # Where post_migrate has already created the new one, it would violate the unique codename; nobody has it yet.
        if permissions.filter(codename=old).exists():
            permissions.filter(codename=new).delete()
        permissions.filter(codename=old).update(codename=new)


def forwards(apps, schema_editor):
    rename(apps, CODENAMES)


def backwards(apps, schema_editor):
    rename(apps, {new: old for old, new in CODENAMES.items()})


class Migration(migrations.Migration):
    dependencies = [("albumart", "0004_field_terms"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [migrations.RunPython(forwards, backwards)]
