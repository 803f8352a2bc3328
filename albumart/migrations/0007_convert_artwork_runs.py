"""Convert artwork runs to runs of the backfill rule `albumart.legacy_songs`. Their requests stay and continue."""

import datetime

from django.db import migrations
from django.db.models import F

RULE = "albumart.legacy_songs"
CONVERTED = "converted"  # marks the runs that this migration created, so that the way back deletes only them
OPEN = ("waiting", "running")
LEASE = datetime.timedelta(seconds=120)  # the default of ALBUMART_LEASE_SECONDS
SHIPPED_GROUP = "Curators"
RUN_CHILDREN = ("BackfillEvent", "BackfillChange", "BackfillBatch", "BackfillRowError", "BackfillColumnLock")
ACTIONS = ("add", "change", "delete", "view")


def forwards(apps, schema_editor):
    artworks = apps.get_model("albumart", "Artwork").objects
    artworks.filter(status="running").update(claim_expires_at=F("claimed_at") + LEASE)
    for cohort in apps.get_model("albumart", "ArtworkCohort").objects.order_by("pk"):
        cohort.run = _existing_run(apps, cohort) or _create_run(apps, cohort)
        cohort.save(update_fields=["run"])
    _rename_permissions(apps, "artworkrun", "artworkcohort")
    _grant_control(apps)


def _existing_run(apps, cohort):
    """Return the backfill run that created the artwork run; a paused artwork run pauses it."""
    runs = apps.get_model("backfills", "BackfillRun").objects.filter(rule_name=RULE)
    prefix, _, number = cohort.name.rpartition(" ")
    run = runs.filter(parameters__name=cohort.name).first()
    if run is None and prefix == "Legacy songs, backfill" and number.isdecimal():
        run = runs.filter(pk=int(number)).first()
    if run is not None and cohort.paused_at and run.state in ("running", "finished"):
        run.state, run.state_changed_at = "paused", cohort.paused_at
        run.save(update_fields=["state", "state_changed_at"])
    return run


def _create_run(apps, cohort):
    artworks = list(cohort.artworks.order_by("pk").values_list("pk", "asset_id", "status", "error_code", "finished_at"))
    is_open = any(status in OPEN for _, _, status, _, _ in artworks)
    is_cancelled = any(code == "cancelled" for _, _, _, code, _ in artworks)
    if cohort.paused_at:
        state = "paused"
    else:
        state = "running" if is_open else "cancelled" if is_cancelled else "finished"
    finished_at = max((at for *_, at in artworks if at), default=cohort.requested_at)
    last_pk = max(cohort.asset_pks, default=0)
    run = apps.get_model("backfills", "BackfillRun").objects.create(
        rule_name=RULE, rule_version=1, parameters={"name": cohort.name}, table_name="assets_asset", fields=["artwork"],
        state=state, state_changed_at=cohort.paused_at or (cohort.requested_at if is_open else finished_at),
        reason=cohort.reason, requested_by=cohort.requested_by, created_at=cohort.requested_at,
        started_at=cohort.requested_at, finished_at=None if state in ("paused", "running") else finished_at,
        total_rows=len(cohort.asset_pks), changed_rows=len(artworks),
        skipped_rows=max(len(cohort.asset_pks) - len(artworks), 0), max_pk=last_pk, cursor_pk=last_pk,
    )  # fmt: skip
    apps.get_model("backfills", "BackfillEvent").objects.create(
        run=run, event_type=CONVERTED, actor=cohort.requested_by, message=f"Converted from the artwork run {cohort.name}",
        created_at=cohort.requested_at,
    )  # fmt: skip
    change = apps.get_model("backfills", "BackfillChange")
    change.objects.bulk_create(
        [change(run=run, row_pk=asset_pk, field="artwork", after=pk) for pk, asset_pk, *_ in artworks],
        batch_size=500,
        ignore_conflicts=True,
    )
    if state in ("paused", "running"):
        # The column may be locked already: several artwork runs could be open, of backfill runs only one.
        apps.get_model("backfills", "BackfillColumnLock").objects.get_or_create(
            table_name="assets_asset", field="artwork", defaults={"run": run}
        )
    return run


def backwards(apps, schema_editor):
    cohorts = apps.get_model("albumart", "ArtworkCohort").objects
    for cohort in cohorts.select_related("run"):
        run = cohort.run
        cohort.reason, cohort.requested_by, cohort.requested_at = run.reason[:200], run.requested_by, run.created_at
        cohort.paused_at = run.state_changed_at if run.state in ("pausing", "paused") else None
        cohort.run = None
        cohort.save()
        if apps.get_model("backfills", "BackfillEvent").objects.filter(run_id=run.pk, event_type=CONVERTED).exists():
            for model in RUN_CHILDREN:
                _delete(apps.get_model("backfills", model).objects.filter(run_id=run.pk))
            _delete(apps.get_model("backfills", "BackfillRun").objects.filter(pk=run.pk))
    _rename_permissions(apps, "artworkcohort", "artworkrun")
    _revoke_control(apps)


def _delete(rows):
    """Delete without Django's cascade: it compares model classes of two states on the way back, and fails."""
    rows._raw_delete(rows.db)


def _rename_permissions(apps, old, new):
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="albumart")
    for action in ACTIONS:
        if permissions.filter(codename=f"{action}_{old}").exists():
            permissions.filter(codename=f"{action}_{new}").delete()
        permissions.filter(codename=f"{action}_{old}").update(codename=f"{action}_{new}")


def _permission(apps, app_label, model, codename, name):
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label=app_label, model=model
    )
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=codename, defaults={"name": name}
    )
    return permission


def _control(apps):
    name = "Can plan, start, pause, resume and cancel runs"
    return _permission(apps, "backfills", "backfillrun", "control_backfillrun", name)


def _steer(apps):
    return _permission(apps, "albumart", "artworkcohort", "steer_artworkrun", "Can start, pause and cancel runs")


def _grant_control(apps):
    """Grant the control of backfill runs to all who could control artwork runs."""
    control, steer = _control(apps), _steer(apps)
    for grants, holder in _grants(apps):
        holders = grants.filter(permission_id=control.pk).values(holder)
        grants.filter(permission_id=steer.pk).exclude(**{f"{holder}__in": holders}).update(permission_id=control.pk)
    steer.delete()


def _revoke_control(apps):
    """Grant the old permission again. Only the shipped group loses the new one: other grants may be older."""
    control, steer = _control(apps), _steer(apps)
    for grants, holder in _grants(apps):
        held = grants.filter(permission_id=control.pk)
        if holder == "group_id":
            held.filter(group__name=SHIPPED_GROUP).update(permission_id=steer.pk)
        grants.bulk_create(
            grants.model(permission_id=steer.pk, **{holder: pk}) for pk in held.values_list(holder, flat=True)
        )


def _grants(apps):
    """Return the grants of groups and of users, each with the column of the holder."""
    user = apps.get_model("accounts", "User")
    return (
        (apps.get_model("auth", "Group").permissions.through.objects, "group_id"),
        (user.user_permissions.through.objects, "user_id"),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_staff_groups"),
        ("albumart", "0006_artwork_terms"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
