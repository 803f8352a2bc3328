"""Rename permissions and the keys of stored plans and events. Runs and grants keep their meaning."""

from django.db import migrations

_CODENAMES = {"steer_backfillrun": "control_backfillrun"} | {
    f"{action}_{old}": f"{action}_{new}"
    for action in ("add", "change", "delete", "view")
    for old, new in (
        ("backfillparked", "backfillrowerror"),
        ("backfillclaim", "backfillcolumnlock"),
        ("backfillhold", "backfillglobalpause"),
    )
}
_EVENT_TYPES = {"forced": "unlocked"}
_BATCH = 500


def _rename_permissions(apps, names):
    permission_model = apps.get_model("auth", "Permission")
    for old, new in names.items():
        permission = permission_model.objects.filter(content_type__app_label="backfills", codename=old).first()
        if permission is None:
            continue
        created = permission_model.objects.filter(content_type=permission.content_type, codename=new).first()
        if created is not None:  # made by `migrate` meanwhile: the old permission keeps its grants
            permission.group_set.add(*created.group_set.all())
            permission.user_set.add(*created.user_set.all())
            created.delete()
        permission.codename = new
        permission.save(update_fields=["codename"])


def _rename_plans(apps, *, errors, error, unchanged):
    (old_errors, new_errors), (old_error, new_error), (old_skip, new_skip) = errors, error, unchanged
    changed = []
    runs = apps.get_model("backfills", "BackfillRun").objects.exclude(plan=None)
    for run in runs.only("pk", "plan").iterator(_BATCH):
        plan = {new_errors if key == old_errors else key: value for key, value in run.plan.items()}
        names = {old_error: new_error, f"skip: {old_skip}": f"skip: {new_skip}"}
        plan["outcomes"] = {names.get(key, key): count for key, count in plan.get("outcomes", {}).items()}
        run.plan = plan
        changed.append(run)
    apps.get_model("backfills", "BackfillRun").objects.bulk_update(changed, ["plan"], batch_size=_BATCH)


def _rename_events(apps, names):
    events = apps.get_model("backfills", "BackfillEvent").objects
    for old, new in names.items():
        events.filter(event_type=old).update(event_type=new)


def forwards(apps, schema_editor):
    _rename_permissions(apps, _CODENAMES)
    _rename_plans(apps, errors=("bad", "errors"), error=("bad", "error"), unchanged=("already right", "unchanged"))
    _rename_events(apps, _EVENT_TYPES)


def backwards(apps, schema_editor):
    _rename_permissions(apps, {new: old for old, new in _CODENAMES.items()})
    _rename_plans(apps, errors=("errors", "bad"), error=("error", "bad"), unchanged=("unchanged", "already right"))
    _rename_events(apps, {new: old for old, new in _EVENT_TYPES.items()})


class Migration(migrations.Migration):
    dependencies = [
        ("backfills", "0003_run_terms"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
