"""Questions about the taxonomy."""

from typing import TYPE_CHECKING, Any

from django.db import connection, models

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
        # By hand, because nearly every request asks: building a query costs more than running this one.
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM taxonomy_taxonomyversion")
            return cursor.fetchone()[0]
