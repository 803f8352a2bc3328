"""Questions about the taxonomy."""

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from taxonomy.models import TaxonomyVersion


class SubcategoryQuerySet(models.QuerySet["Subcategory"]):
    def as_paths(self) -> Any:
        """All three levels of every subcategory in one query, in the order of their numbers."""
        return self.order_by("category__layer__number", "category__number", "number").values_list(
            "pk", "code", "number", "name", "description",
            "category_id", "category__code", "category__number", "category__name",
            "category__layer__code", "category__layer__number", "category__layer__name",
        )  # fmt: skip


class TaxonomyVersionQuerySet(models.QuerySet["TaxonomyVersion"]):
    def current(self) -> "TaxonomyVersion | None":
        return self.order_by("-pk").first()

    def current_pk(self) -> int:
        """0 while there is no taxonomy."""
        return self.order_by("-pk").values_list("pk", flat=True).first() or 0
