"""Groups of staff for bug reports, and what those who look at everything may see."""

from django.db import migrations

VIEWED = ("bugreport", "purgerun", "notice")
OWN = {
    "triage_bugreport": "Can judge, assign, merge and close bug reports",
    "purge_bugreport": "Can delete and purge bug reports",
}
GROUPS = {
    "Bug triage": [*(f"view_{model}" for model in VIEWED), "triage_bugreport"],
    "Bug admin": [*(f"view_{model}" for model in VIEWED), "triage_bugreport", "purge_bugreport"],
    "Auditors": [f"view_{model}" for model in VIEWED],
}
MADE_HERE = ("Bug triage", "Bug admin")


def add(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    for group_name, codenames in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=group_name)
        for codename in codenames:
            verb, _, model = codename.partition("_")
            content_type, _ = ContentType.objects.get_or_create(app_label="bugreports", model=model)
            permission, _ = Permission.objects.get_or_create(
                content_type=content_type,
                codename=codename,
                defaults={"name": OWN.get(codename, f"Can {verb} {model}")},
            )
            group.permissions.add(permission)


def remove(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    Group.objects.filter(name__in=MADE_HERE).delete()
    for group in Group.objects.filter(name__in=GROUPS):
        group.permissions.remove(*Permission.objects.filter(content_type__app_label="bugreports"))


class Migration(migrations.Migration):
    dependencies = [("bugreports", "0001_initial"), ("accounts", "0002_staff_groups")]

    operations = [migrations.RunPython(add, remove)]
