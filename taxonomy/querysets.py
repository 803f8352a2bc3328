"""Queries of the taxonomy."""

from typing import TYPE_CHECKING, Any

from django.db import connection, models

if TYPE_CHECKING:
    from taxonomy.models import TaxonomyVersion


class SubcategoryQuerySet(models.QuerySet["Subcategory"]):
    def as_paths(self) -> Any:
        """Return a row for each `snapshot.Node`: subcategory, category and layer, sorted by number, in one query."""
        return self.order_by("category__layer__number", "category__number", "number").values_list(
            "pk", "code", "number", "name", "description",
            "category_id", "category__code", "category__number", "category__name",
            "category__layer__code", "category__layer__number", "category__layer__name",
        )  # fmt: skip


class TaxonomyVersionQuerySet(models.QuerySet["TaxonomyVersion"]):
    def current(self) -> "TaxonomyVersion | None":
        return self.order_by("-pk").first()

    def current_pk(self) -> int:
        """Return the primary key of the newest version, or 0 if there is none."""
        # Raw SQL, because nearly every request runs it and the ORM needs longer to build it than PostgreSQL to run it.
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM taxonomy_taxonomyversion")
            return cursor.fetchone()[0]
