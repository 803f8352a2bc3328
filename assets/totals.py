"""Exact totals of lists that cost no count of rows.

The triggers of migration 0013 keep a counter for each tag and filter. Any other total is counted once and remembered
while no asset changes.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection

from assets.querysets import AssetQuerySet

_MAX_REMEMBERED = 1000
# Snapshots that see the same last writes see the same assets: commits become visible to all in one order.
_VERSION = "(SELECT string_agg(id::text, ' ' ORDER BY id) FROM assets_write)"
_remembered: OrderedDict[tuple[str, str, str], tuple[str | None, Any]] = OrderedDict()  # of this process


@dataclass(frozen=True)
class Counters:
    """Counters of live assets whose sum is the total, or with `is_rest` all other live assets.

    Names: `tag T`, `curated`, `album_art`, and `creator_description O`, where O is the origin of the description: empty
    for a person.
    """

    names: tuple[str, ...]
    is_rest: bool = False


def read_counters(names: Sequence[str]) -> int:
    """Return the sum of the counters. A name that no live asset has counts as 0."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(delta), 0)::bigint FROM assets_counter WHERE name = ANY(%s)", [list(names)])
        return cursor.fetchone()[0]


def count_rows(assets: AssetQuerySet) -> int:
    """Count a queryset that depends on the asset table only, at most once while no asset changes."""
    try:
        sql, params = assets.order_by().values_list("pk").query.sql_with_params()
    except EmptyResultSet:  # filters that no row can match
        return 0
    return count_remembered(sql, params)


def count_remembered(sql: str, params: Sequence[Any]) -> int:
    """Count the rows of a SELECT that depends on the asset table only, at most once while no asset changes."""
    return int(read_remembered("count(*)", sql, params))


def read_remembered(aggregate: str, sql: str, params: Sequence[Any]) -> Any:
    """Return an SQL aggregate of the rows of a SELECT on the asset table, computed once while no asset changes."""
    sql = f"{aggregate} FROM ({sql}) AS selected"
    key = (str(connection.settings_dict["NAME"]), sql, repr(params))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_VERSION}")
        version = cursor.fetchone()[0]
        remembered = _remembered.get(key)
        if remembered is not None and remembered[0] == version:
            return remembered[1]
        cursor.execute(f"SELECT {_VERSION}, {sql}", list(params))
        version, value = cursor.fetchone()
    _remembered[key] = (version, value)
    _remembered.move_to_end(key)
    while len(_remembered) > _MAX_REMEMBERED:
        _remembered.popitem(last=False)
    return value
