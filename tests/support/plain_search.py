"""A search as one plain query over the columns of the assets: what the fast ways must agree with."""

from typing import Any

from django.db import connection
from django.db.models import BooleanField, IntegerField
from django.db.models.expressions import RawSQL

from assets.selection import AssetSelection


def plain_page(selection: AssetSelection) -> list[int]:
    """Read the search from the columns of the assets: one condition, one rank, no index."""
    search = selection.search
    assert search is not None
    columns = {
        (True, True): ("full_search_text",),
        (True, False): ("search_text", "creator_search_text"),
        (False, True): ("search_text", "ai_search_text"),
        (False, False): ("search_text",),
    }[search.scope.has_creator_description, search.scope.has_ai_metadata]

    def contains(text: str) -> tuple[str, list[Any]]:
        pattern = f"%{connection.ops.prep_for_like_query(text)}%"
        return "(" + " OR ".join(f"{column} LIKE %s" for column in columns) + ")", [pattern] * len(columns)

    forms = " OR ".join(
        f"to_tsvector('english', {column}) @@ plainto_tsquery('english', %s)" for column in columns
    )  # fmt: skip
    exact = ("id = ANY(%s)", [list(search.exact_pks)])
    words = [contains(word) for word in search.words]
    every = (" AND ".join(sql for sql, _ in words) or "false", [value for _, params in words for value in params])
    whole = contains(search.whole)
    has_words = "true" if search.words else "false"
    condition = RawSQL(  # noqa: S611
        f"(({every[0]}) OR ({has_words} AND ({forms})) OR {exact[0]})",
        [*every[1], *[search.text] * len(columns), *exact[1]],
        output_field=BooleanField(),
    )
    rank = RawSQL(  # noqa: S611
        f"CASE WHEN {exact[0]} THEN 0 WHEN {whole[0]} THEN 1 WHEN {every[0]} THEN 2 ELSE 3 END",
        [*exact[1], *whole[1], *every[1]],
        output_field=IntegerField(),
    )
    found = selection.queryset().filter(condition)
    if not selection.order:
        found = found.order_by(rank, "-created_at", "-public_id")
    return list(found.values_list("pk", flat=True))
