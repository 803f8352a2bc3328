"""Exact totals of searches, remembered by the process for each chunk of assets that has not changed.

Triggers stamp the chunks (4,096 ids) that a statement changes; a stamp becomes visible with its change. A total is the
sum over the chunks, so a change costs a count of its chunk, not of all assets.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from assets.search import Sql

# The sum grows with every committed change. The highest stamp tells apart the states of transactions rolled back.
VERSION = "(SELECT concat(max(stamp), ' ', sum(stamp)) FROM assets_search_version)"
_STAMPS = """SELECT json_object_agg(chunk, stamps) FROM (
    SELECT chunk, array_agg(stamp ORDER BY stamp)::text AS stamps FROM assets_search_version GROUP BY chunk
) AS chunks"""
_WORK_MEM = "64MB"  # bitmaps of a million rows stay exact; a lossy one tests each row of a page again
MAX_REMEMBERED = 500  # totals, about 20 kB each at a million assets
_MAX_CHANGED_SHARE = 0.25  # from here on, one scan is faster than ranges


@dataclass
class _Total:
    version: str = ""
    stamps: dict[str, str] = field(default_factory=dict)  # by chunk, as of the count of the chunk
    counts: dict[str, int] = field(default_factory=dict)  # by chunk

    def changed_chunks(self, stamps: dict[str, str]) -> list[str]:
        """A chunk without a stamp has no assets: its first ones were rolled back."""
        chunks = self.stamps.keys() | stamps.keys()
        return [chunk for chunk in chunks if self.stamps.get(chunk, "") != stamps.get(chunk, "")]

    def sum(self) -> int:
        return sum(self.counts.values())


_remembered: OrderedDict[object, _Total] = OrderedDict()  # of this process


def count_matches(key: str, conditions: Sequence[Sql]) -> int:
    """Count the rows of `assets_search AS s` that meet one of the disjoint conditions, and remember the total."""
    total = _remembered.get(key) or _Total()
    with connection.cursor() as cursor:
        if total.version and total.version == _read(cursor, VERSION):
            _remembered.move_to_end(key)
            return total.sum()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL work_mem = '{_WORK_MEM}'")
        stamps = _read(cursor, f"({_STAMPS})") or {}
        changed = total.changed_chunks(stamps)
        is_counted = False
        if len(changed) <= _MAX_CHANGED_SHARE * len(stamps):
            is_counted = _count(cursor, total, conditions, changed)
        if not is_counted:  # for the first time, or another change was committed between the statements
            _count(cursor, total, conditions, None)
    _remembered[key] = total
    while len(_remembered) > MAX_REMEMBERED:
        _remembered.popitem(last=False)
    return total.sum()


def _count(cursor: Any, total: _Total, conditions: Iterable[Sql], chunks: list[str] | None) -> bool:
    """Count the chunks, or all. Return true if the total is complete for what the statement saw."""
    in_chunks, bounds = "", []
    if chunks is not None:
        in_chunks = " AND (false" + " OR s.asset_id BETWEEN %s AND %s" * len(chunks) + ")"
        bounds = [bound for chunk in map(int, chunks) for bound in (chunk << 12, (chunk + 1 << 12) - 1)]
    arms = " UNION ALL ".join(
        f"SELECT s.asset_id >> 12 AS chunk, count(*) AS found FROM assets_search AS s WHERE {arm.text}{in_chunks}"  # noqa: S608
        " GROUP BY 1"
        for arm in conditions
    )
    cursor.execute(
        f"SELECT {VERSION}, ({_STAMPS}), (SELECT json_object_agg(chunk, found) FROM"  # noqa: S608
        f" (SELECT chunk, sum(found) AS found FROM ({arms}) AS arms GROUP BY 1) AS chunks)",
        [value for arm in conditions for value in (*arm.params, *bounds)],
    )
    version, stamps, found = cursor.fetchone()
    stamps, found = stamps or {}, found or {}
    if chunks is None:
        total.stamps.clear()
        total.counts.clear()
    for chunk in stamps.keys() | found.keys() if chunks is None else chunks:
        total.stamps[chunk], total.counts[chunk] = stamps.get(chunk, ""), found.get(chunk, 0)
    total.version = version
    return not total.changed_chunks(stamps)


def _read(cursor: Any, sql: str) -> Any:
    cursor.execute(f"SELECT {sql}")
    return cursor.fetchone()[0]
