"""Groups for staff, each with the least it needs.

Permissions of other apps are usually made after all migrations have run. Here they are made (or found) by name, so that
the groups are complete on a fresh database whatever the order of apps; what Django does afterwards finds them in place.
"""

from django.db import migrations

EDIT = ("view", "change")
ALL = ("view", "add", "change", "delete")

ASSETS_READ = [("assets", "asset", ("view",)), ("assets", "historicalasset", ("view",))]
TAXONOMY_READ = [("taxonomy", model, ("view",)) for model in ("layer", "category", "subcategory", "taxonomyversion")]
GROUPS = {
    "Editors": [("assets", "asset", EDIT), *ASSETS_READ, *TAXONOMY_READ],
    "Curators": [
        ("assets", "asset", (*EDIT, "delete", "curate", "restore")),
        ("assets", "sequencecounter", ("view",)),
        *ASSETS_READ,
        *TAXONOMY_READ,
    ],
    "Taxonomy editors": [
        *[("taxonomy", model, ALL) for model in ("layer", "category", "subcategory")],
        *TAXONOMY_READ,
        *ASSETS_READ,
    ],
    "Flag managers": [
        ("flags", "fieldflag", EDIT),
        ("flags", "flagchange", ("view",)),
        ("accounts", "user", ("view",)),
    ],
    "Auditors": [
        *ASSETS_READ,
        *TAXONOMY_READ,
        ("assets", "sequencecounter", ("view",)),
        ("flags", "fieldflag", ("view",)),
        ("flags", "flagchange", ("view",)),
        ("accounts", "user", ("view",)),
        ("accounts", "servicekey", ("view",)),
        ("auth", "group", ("view",)),
        ("admin", "logentry", ("view",)),
    ],
}
# Beyond view, add, change and delete: the names these models give their own permissions.
OWN_NAMES = {"curate_asset": "Can curate assets", "restore_asset": "Can restore deleted assets"}


def make_groups(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    for group_name, grants in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=group_name)
        for app_label, model, verbs in grants:
            content_type, _ = ContentType.objects.get_or_create(app_label=app_label, model=model)
            for verb in verbs:
                codename = f"{verb}_{model}"
                permission, _ = Permission.objects.get_or_create(
                    content_type=content_type,
                    codename=codename,
                    defaults={"name": OWN_NAMES.get(codename, f"Can {verb} {model}")},
                )
                group.permissions.add(permission)


def remove_groups(apps, schema_editor):
    # The permissions stay: they belong to the models, not to the groups.
    apps.get_model("auth", "Group").objects.filter(name__in=GROUPS).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_groups, remove_groups)]
