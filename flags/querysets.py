"""Questions about flags and their changes."""

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import OuterRef
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

    def states(self) -> tuple[FlagState, ...]:
        rows = self.with_members().order_by("name").values_list(*FlagState._fields)
        return tuple(
            FlagState(*row[:-2], user_pks=tuple(row[-2]), group_pks=tuple(row[-1])) for row in rows
        )  # fmt: skip


class FieldFlagManager(FlagManager.from_queryset(FieldFlagQuerySet)):  # type: ignore[misc]
    """Waffle's manager with our questions."""


class FlagChangeQuerySet(models.QuerySet["FlagChange"]):
    def of(self, flag_name: str) -> Self:
        return self.filter(flag_name=flag_name)
