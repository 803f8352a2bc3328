"""A sample of the searched rows in the memory of the process: how many assets a search finds, about.

It decides how a page is read, never what is on it, so it may be minutes old.
"""

import random
import time
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from django.db import connection

from assets.selection import TaxonomyScope

_ROWS = 1000  # read in about 5 ms; a word in none of them is in fewer than 0.3 % of the assets, with a chance of 95 %
_MAX_AGE_SECONDS = 300.0


class SampleRow(NamedTuple):
    asset_pk: int
    layer: str
    node_pk: int
    text: str


class SearchSample:
    def __init__(self, rows: Sequence[SampleRow], asset_count: int) -> None:
        self.rows = rows
        self.asset_count = asset_count  # of the whole table, about

    def matches(self, words: Sequence[str], scope: TaxonomyScope) -> list[int]:
        """Return the assets of the sample that contain all words and are in the scope."""
        if any(word not in self._all_texts for word in words):  # most words are rare
            return []
        return [row.asset_pk for row in self.in_scope(scope) if all(word in row.text for word in words)]

    def in_scope(self, scope: TaxonomyScope) -> Sequence[SampleRow]:
        if scope.node_pks is not None:
            return [row for row in self.rows if row.node_pk in scope.node_pks]
        return self.rows if scope.layer is None else [row for row in self.rows if row.layer == scope.layer]

    @cached_property
    def _all_texts(self) -> str:
        return "\n".join(row.text for row in self.rows)


def load_sample() -> SearchSample:
    """Read rows of random ids. Gaps between the ids make the sample smaller."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(asset_id), max(asset_id) FROM assets_search")
        first, last = cursor.fetchone()
        if first is None:
            return SearchSample([], 0)
        pks = range(first, last + 1)
        chosen = random.sample(pks, min(_ROWS, len(pks)))
        cursor.execute(
            "SELECT asset_id, layer, taxonomy_node_id, text FROM assets_search WHERE asset_id = ANY(%s)", [chosen]
        )
        rows = [SampleRow(*row) for row in cursor.fetchall()]
    return SearchSample(rows, len(pks) * len(rows) // len(chosen))


_cached: tuple[float, SearchSample] | None = None  # of this process


def current_sample() -> SearchSample:
    global _cached
    now = time.monotonic()
    if _cached is None or now - _cached[0] > _MAX_AGE_SECONDS:
        _cached = now, load_sample()
    return _cached[1]


def clear_sample() -> None:
    """Drop the sample of this process; the next search reads one."""
    global _cached
    _cached = None
