"""Queries of flags and their changes."""

from typing import Any, Self

from django.apps import apps
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, models
from django.db.models import OuterRef, Subquery
from django.db.models.expressions import RawSQL
from waffle.managers import FlagManager

from flags.rules import FlagSettings

# The version of all flags that a statement sees, as a column for any SELECT. Each edit, also one rolled back later,
# gives the row another (ctid, xmin), so equal versions mean equal flags, also for edits by SQL. A version column kept
# by a trigger saves 0.02 ms and can deadlock concurrent edits: docs/adr/flag-bucketing.md.
FLAGS_VERSION_SQL = "(SELECT md5(coalesce(string_agg(ctid::text || xmin::text, ' '), '')) FROM flags_fieldflag)"

_EXPOSURE_CHANGED_SQL = (
    "(before - ARRAY['users', 'groups', 'note']) IS DISTINCT FROM (after - ARRAY['users', 'groups', 'note'])"
)


class FieldFlagQuerySet(models.QuerySet["FieldFlag"]):
    def with_members(self) -> Self:
        """Annotate `user_pks` and `group_pks` in the same query."""
        users, groups = self.model.users.through.objects, self.model.groups.through.objects
        own = {"fieldflag_id": OuterRef("pk")}
        return self.annotate(
            user_pks=ArraySubquery(users.filter(**own).order_by("user_id").values("user_id")),
            group_pks=ArraySubquery(groups.filter(**own).order_by("group_id").values("group_id")),
        )

    def with_member_names(self) -> Self:
        """Annotate `user_public_ids` and `group_names` in the same query."""
        users, groups = self.model.users.through.objects, self.model.groups.through.objects
        own = {"fieldflag_id": OuterRef("pk")}
        return self.annotate(
            user_public_ids=ArraySubquery(users.filter(**own).values("user__public_id")),
            group_names=ArraySubquery(groups.filter(**own).values("group__name")),
        )

    def with_last_change(self) -> Self:
        """Annotate `last_changed_at` and `last_changed_by` (an e-mail)."""
        changes = apps.get_model("flags", "FlagChange").objects.of(OuterRef("name"))
        return self.annotate(
            last_changed_at=Subquery(changes.values("changed_at")[:1]),
            last_changed_by=Subquery(changes.values("changed_by__email")[:1]),
        )

    def version(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {FLAGS_VERSION_SQL}")
            return cursor.fetchone()[0]

    def settings(self) -> tuple[str, tuple[FlagSettings, ...]]:
        """Return the version and the settings of all flags, from one query."""
        version = RawSQL(FLAGS_VERSION_SQL, [], output_field=models.TextField())  # noqa: S611  # no input in it
        rows = self.with_members().order_by("name").values_list(version, *FlagSettings._fields)
        settings = tuple(FlagSettings(*row[1:-2], user_pks=tuple(row[-2]), group_pks=tuple(row[-1])) for row in rows)
        return (rows[0][0] if settings else self.version()), settings


class FieldFlagManager(FlagManager.from_queryset(FieldFlagQuerySet)):  # type: ignore[misc]
    """Waffle's manager with the queries of this app."""


class FlagChangeQuerySet(models.QuerySet["FlagChange"]):
    def of(self, flag_name: Any) -> Self:
        return self.filter(flag_name=flag_name)

    def last_exposure_changes(self) -> Self:
        """Return for each flag its last change of everyone, percent, staff or authenticated."""
        has_changed = RawSQL(_EXPOSURE_CHANGED_SQL, [], output_field=models.BooleanField())  # noqa: S611  # no input in it
        return (
            self.filter(has_changed)
            .select_related("changed_by")
            .order_by("flag_name", "-changed_at", "-pk")
            .distinct("flag_name")
        )
