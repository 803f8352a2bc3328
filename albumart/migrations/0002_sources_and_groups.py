"""The sources pictures come from today, and what the groups of staff may do with pictures."""

from django.db import migrations

# pattern, label, requests a minute, redirects followed, does 403 mean "too fast"
SOURCES = (
    (".mzstatic.com", "iTunes", 20, 0, True),  # Apple answers 403 to whoever asks more than some twenty times a minute
    ("coverartarchive.org", "MusicBrainz", 60, 3, False),  # answers with a redirect to the archive's hosts
    ("archive.org", "MusicBrainz", 60, 3, False),
    (".archive.org", "MusicBrainz", 60, 3, False),
)
VIEWED = ("artwork", "artworkrun", "artworksource", "breakerchange", "historicalartworksource")
GROUPS = {
    "Editors": [*(f"view_{model}" for model in VIEWED), "process_artwork"],
    "Curators": [
        *(f"view_{model}" for model in VIEWED),
        "process_artwork", "steer_artworkrun", "reset_breaker", "add_artworksource", "change_artworksource",
    ],
    "Auditors": [f"view_{model}" for model in VIEWED],
}  # fmt: skip
OWN = {
    "process_artwork": ("artwork", "Can fetch, upload and re-run pictures"),
    "steer_artworkrun": ("artworkrun", "Can start, pause and cancel runs"),
    "reset_breaker": ("artworksource", "Can reset the breaker of a source"),
}


def add(apps, schema_editor):
    source = apps.get_model("albumart", "ArtworkSource")
    for pattern, label, pace, redirects, is_throttling in SOURCES:
        source.objects.get_or_create(
            pattern=pattern,
            defaults={
                "label": label,
                "requests_per_minute": pace,
                "max_redirects": redirects,
                "refusal_is_throttling": is_throttling,
            },
        )
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    for group_name, codenames in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=group_name)
        for codename in codenames:
            verb, _, model = codename.partition("_")
            model, name = OWN.get(codename, (model, f"Can {verb} {model}"))
            content_type, _ = ContentType.objects.get_or_create(app_label="albumart", model=model)
            permission, _ = Permission.objects.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            group.permissions.add(permission)


def remove(apps, schema_editor):
    """The sources stay, as staff may have changed them; they go with their table."""
    Permission = apps.get_model("auth", "Permission")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GROUPS):
        group.permissions.remove(*Permission.objects.filter(content_type__app_label="albumart"))


class Migration(migrations.Migration):
    dependencies = [
        ("albumart", "0001_initial"),
        ("accounts", "0002_staff_groups"),
        ("flags", "0004_album_art_pipeline"),
    ]

    operations = [migrations.RunPython(add, remove)]
