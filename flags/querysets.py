"""Questions about flags and their changes."""

from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import OuterRef, Subquery
from waffle.managers import FlagManager

from flags.deciding import FlagState

if TYPE_CHECKING:
    pass


class FieldFlagQuerySet(models.QuerySet["FieldFlag"]):
    def with_members(self) -> Self:
        """Each with `user_pks` and `group_pks`, in the same query."""
        users, groups = self.model.users.through.objects, self.model.groups.through.objects
        own = {"fieldflag_id": OuterRef("pk")}
        return self.annotate(
            user_pks=ArraySubquery(users.filter(**own).order_by("user_id").values("user_id")),
            group_pks=ArraySubquery(groups.filter(**own).order_by("group_id").values("group_id")),
        )

    def with_last_change(self) -> Self:
        """Each with `last_changed_at` and `last_changed_by` (an e-mail address)."""
        changes = apps.get_model("flags", "FlagChange").objects.of(OuterRef("name"))
        return self.annotate(
            last_changed_at=Subquery(changes.values("changed_at")[:1]),
            last_changed_by=Subquery(changes.values("changed_by__email")[:1]),
        )

    def states(self) -> tuple[FlagState, ...]:
        rows = self.with_members().order_by("name").values_list(*FlagState._fields)
        return tuple(
            FlagState(*row[:-2], user_pks=tuple(row[-2]), group_pks=tuple(row[-1])) for row in rows
        )  # fmt: skip


class FieldFlagManager(FlagManager.from_queryset(FieldFlagQuerySet)):  # type: ignore[misc]
    """Waffle's manager with our questions."""


class FlagChangeQuerySet(models.QuerySet["FlagChange"]):
    def of(self, flag_name: Any) -> Self:
        return self.filter(flag_name=flag_name)
