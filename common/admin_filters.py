"""Filters of lists whose cost and length do not grow with the rows."""

from typing import Any, ClassVar

from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.options import ModelAdmin
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter

_MAX_VALUES = 100


class SearchedFilter(AutocompleteSelectFilter):
    """Filter by a related row, which the browser searches. Hidden from staff who may not view the related rows."""

    def has_output(self) -> bool:
        try:
            related = self.model_admin.admin_site.get_model_admin(self.field.remote_field.model)
        except NotRegistered:
            return False
        return related.has_view_permission(self.request)


class IndexedValuesFilter(DropdownFilter):
    """Filter by the value of an indexed column `field`. Offers the first values, read from the index one by one."""

    field: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [(value, value) for value in distinct_values(model_admin.model, self.field)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


def distinct_values(model: type[Model], field: str, limit: int = _MAX_VALUES) -> list[str]:
    """Return the first values of an indexed text column, without the empty one.

    PostgreSQL reads the whole table for SELECT DISTINCT; this statement reads one index entry for each value. The index
    may leave out the empty value.
    """
    table, column = (
        connection.ops.quote_name(name) for name in (model._meta.db_table, model._meta.get_field(field).column)
    )
    sql = f"""
        WITH RECURSIVE found(value, number) AS (
            SELECT min({column}), 1 FROM {table} WHERE {column} > ''
            UNION ALL
            SELECT (SELECT min({column}) FROM {table} WHERE {column} > found.value AND {column} > ''), number + 1
            FROM found WHERE value IS NOT NULL AND number < %s
        )
        SELECT value FROM found WHERE value IS NOT NULL"""  # noqa: S608 - names of our own models
    with connection.cursor() as cursor:
        cursor.execute(sql, [limit])
        return [value for (value,) in cursor.fetchall()]
