"""The list pages of the admin: their count, the rows of a page and their links cost the same on every page."""

from functools import cache
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

COUNTED_ROWS = 1_000_000  # an index-only count of these takes about 0.1 s


class CappedCount(int):
    """An integer that is displayed with a plus sign: "1,000,000+"."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


class KeyPaginator(Paginator):
    """Select the keys of a page first, from the nearer end, then the rows of these keys.

    So an index in the order of the list skips the rows before the page without reading them. Counts at most
    COUNTED_ROWS rows; rows beyond this number are reached by search, filters and the reverse order.
    """

    key = "pk"  # a unique column of the index in the order of the list

    @cached_property
    def count(self) -> int:
        return self.read_count() if isinstance(self.object_list, QuerySet) else len(self.object_list)

    def read_count(self) -> int:
        rows: Any = self.object_list
        number = rows.order_by()[: COUNTED_ROWS + 1].count()
        return number if number <= COUNTED_ROWS else CappedCount(COUNTED_ROWS)

    def page(self, number: int | str) -> Page:
        valid = self.validate_number(number)
        first = (valid - 1) * self.per_page
        return self._get_page(self._rows(first, min(first + self.per_page, self.count)), valid, self)

    def _rows(self, first: int, end: int) -> list[Any]:
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):
            return list(rows[first:end])
        if first > self.count // 2 and not isinstance(self.count, CappedCount):
            chosen = self.read_keys(self.count - end, end - first, is_from_end=True)[::-1]
        else:
            chosen = self.read_keys(first, end - first, is_from_end=False)
        name = rows.model._meta.pk.attname if self.key == "pk" else self.key
        found = {getattr(row, name): row for row in rows.filter(**{f"{self.key}__in": chosen})}
        return [found[key] for key in chosen if key in found]

    def read_keys(self, start: int, limit: int, *, is_from_end: bool) -> list[Any]:
        """Return the keys at `start` and after it. `is_from_end` counts from the last row, in the opposite order."""
        keys: Any = self.object_list.values_list(self.key, flat=True)
        return list((keys.reverse() if is_from_end else keys)[start : start + limit])


class BaseChangeList(ChangeList):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._query_string = cache(self._build_query_string)
        super().__init__(*args, **kwargs)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.get_filters_params():
            self.full_result_count = self.result_count  # without a filter the page needs no "Show all" link

    def get_query_string(self, new_params: dict[str, Any] | None = None, remove: list[str] | None = None) -> str:
        # The theme asks for the same links of the column headers once for each row.
        return self._query_string(tuple((new_params or {}).items()), tuple(remove or ()))

    def _build_query_string(self, new_params: tuple[tuple[str, Any], ...], remove: tuple[str, ...]) -> str:
        return super().get_query_string(dict(new_params), list(remove))
