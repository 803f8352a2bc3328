"""Pages of a search: the keys of the rows in order, and the exact total.

There are two ways to the same rows. A rare text is read whole from the text indexes, and sorted. For a common text the
newest assets are tested one by one until the page is full: rank by rank, because all assets of a rank come before those
of the next. A sample of the rows tells which way is shorter.
"""

from collections.abc import Sequence

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from assets.models import Asset
from assets.search import TRUE, Search, Sql
from assets.search_sample import SearchSample, current_sample
from assets.search_totals import count_matches
from assets.selection import ALL_ASSETS, AssetSelection, order_sql

_NEWEST = "ORDER BY created_at DESC, public_id DESC"
_KEYS = "asset_id, created_at, public_id"
_FROM = "FROM assets_search AS s WHERE"
MAX_FORMS = 5000  # rows with another form of the words only; more of them are counted and read separately
_WALK_ROWS_PER_HIT = 2  # to read and sort a match takes as long as to test two of the newest rows
_MIN_WALK_ROWS = 1000
_MAX_FILTERED_SAMPLE = 100
_MAX_GRAM_SHARE = 0.05
_BOOLEAN = BooleanField()


def find_page(selection: AssetSelection, *, limit: int, offset: int) -> tuple[list[int], int]:
    """Return the primary keys of a page of the search in order, and the number of all its assets."""
    try:
        reader = SearchReader(selection, current_sample())
    except EmptyResultSet:  # filters that no row can match
        return [], 0
    if reader.is_common(limit + offset):
        return reader.walk(limit, offset), reader.count()
    return reader.read_all(limit, offset)


class SearchReader:
    """Reads one search. Both ways return the same keys."""

    def __init__(self, selection: AssetSelection, sample: SearchSample) -> None:
        assert selection.search is not None  # noqa: S101
        self.search: Search = selection.search
        self.selection = selection
        self.sample = sample
        # Tested row by row, the grams of a common word take longer than the word.
        is_common = len(sample.matches(self.search.words, ALL_ASSETS)) > _MAX_GRAM_SHARE * len(sample.rows)
        self.word_grams = TRUE if is_common else self.search.word_grams
        scope, scope_params = selection.scope.as_sql()
        self.scope = Sql(scope, tuple(scope_params))
        # The filter in two forms: a subquery that PostgreSQL may start from, and a test of one row after the other.
        self.filter = self.row_filter = TRUE
        self.filtered = selection.filtered
        if self.filtered is None:
            self.scope &= Sql("s.is_live")
        else:
            pks = self.filtered.order_by().values("pk")
            is_row = RawSQL("assets_asset.id = s.asset_id", [], output_field=_BOOLEAN)
            self.filter = _subquery("s.asset_id IN ({})", pks)
            self.row_filter = _subquery("EXISTS ({} OFFSET 0)", pks.filter(is_row))

    def is_common(self, count: int) -> bool:
        """True if it is shorter to walk to `count` rows than to read all matches."""
        return self._walk_rows(self.search.words, count) is not None

    def _walk_rows(self, words: Sequence[str], count: int) -> int | None:
        """Estimate how many of the newest rows in scope hold `count` matches. None if it is shorter to read all."""
        sample, scope = self.sample, self.selection.scope
        matches = sample.matches(words, scope) if words else []
        if not matches:
            return None
        rows_in_scope = sample.in_scope(scope)
        rows = count * len(rows_in_scope) / len(matches)
        if self.filtered is not None:
            tested = matches[:_MAX_FILTERED_SAMPLE]
            passed = self.filtered.filter(pk__in=tested).count()
            if not passed:
                return None
            rows *= len(tested) / passed
        fewest = min(len(sample.matches(words, ALL_ASSETS)), len(rows_in_scope))
        is_shorter = rows <= _WALK_ROWS_PER_HIT * sample.asset_count * fewest / len(sample.rows)
        return int(rows) if is_shorter else None

    def read_all(self, limit: int, offset: int) -> tuple[list[int], int]:
        """Read all matches from the text indexes, and sort them."""
        search, order, restriction = self.search, self.selection.order, self.scope & self.filter
        rank = Sql(f"CASE WHEN {search.has_whole.text} THEN 1 ELSE 2 END", search.has_whole.params)
        words = search.has_every_word & self.word_grams & ~search.is_exact & restriction
        exact, forms = search.is_exact & restriction, search.has_only_forms & search.stem_grams & restriction
        hits = (
            "(SELECT asset_id FROM hits) AS hits JOIN assets_asset ON assets_asset.id = asset_id" if order else "hits"
        )
        order_by = order_sql(order) if order else _NEWEST.replace("BY", "BY rank,")
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH forms AS MATERIALIZED (SELECT {_KEYS}, 3 AS rank {_FROM} {forms.text} LIMIT {MAX_FORMS + 1}),"  # noqa: S608
                f" hits AS MATERIALIZED (SELECT {_KEYS}, {rank.text} AS rank {_FROM} {words.text}"
                f" UNION ALL SELECT {_KEYS}, 0 {_FROM} {exact.text} UNION ALL SELECT * FROM forms)"
                f" SELECT ARRAY(SELECT asset_id FROM {hits} {order_by} LIMIT %s OFFSET %s),"
                " (SELECT count(*) FROM hits), (SELECT count(*) FROM forms)",
                [*forms.params, *rank.params, *words.params, *exact.params, limit, offset],
            )
            pks, total, form_count = cursor.fetchone()
        if form_count <= MAX_FORMS:
            return pks, total
        return self.walk(limit, offset), self.count()

    def walk(self, limit: int, offset: int) -> list[int]:
        """Read rank by rank, each from the newest asset on, until the page is full."""
        if self.selection.order:
            return self._walk_sorted(limit, offset)
        page: list[int] = []
        for words, rank, grams in self._ranks():
            rows = self._walk_rows(words, offset + limit)
            if rows is not None:
                found = self._test_newest(rank, 2 * rows + _MIN_WALK_ROWS, limit, offset)
                if len(found) == limit:
                    return page + found
            found, count = self._read_rank(rank & grams, limit, offset)
            page += found
            limit, offset = limit - len(found), max(offset - count, 0)
            if not limit:
                return page
        return page + self._read_forms(limit, offset)

    def _ranks(self) -> Sequence[tuple[Sequence[str], Sql, Sql]]:
        """Return words that tell how common a rank is, its condition, and a necessary condition for the indexes."""
        search, others = self.search, ~self.search.is_exact
        exact = [((), search.is_exact, TRUE)] if search.exact_pks else []
        whole = ((search.whole,), search.has_whole & others, self.word_grams & search.whole_grams)
        if search.words == (search.whole,):
            return [*exact, whole]
        return [*exact, whole, (search.words, search.has_every_word & ~search.has_whole & others, self.word_grams)]

    def _test_newest(self, rank: Sql, rows: int, limit: int, offset: int) -> list[int]:
        """Return the matches among the newest `rows` in scope."""
        matches = rank & self.row_filter
        newest = f"SELECT * {_FROM} {self.scope.text} {_NEWEST} LIMIT {rows}"
        return _fetch_pks(
            f"SELECT asset_id FROM ({newest}) AS s WHERE {matches.text} {_NEWEST} LIMIT %s OFFSET %s",  # noqa: S608
            [*self.scope.params, *matches.params, limit, offset],
        )

    def _read_rank(self, rank: Sql, limit: int, offset: int) -> tuple[list[int], int]:
        """Read all assets of a rank from the indexes. Return the page, and their number."""
        matches = rank & self.scope & self.filter
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH hits AS MATERIALIZED (SELECT {_KEYS} {_FROM} {matches.text})"  # noqa: S608
                f" SELECT ARRAY(SELECT asset_id FROM hits {_NEWEST} LIMIT %s OFFSET %s), (SELECT count(*) FROM hits)",
                [*matches.params, limit, offset],
            )
            return cursor.fetchone()

    def _read_forms(self, limit: int, offset: int) -> list[int]:
        """Read the last rank. PostgreSQL has statistics of the word forms, and chooses between the two ways itself."""
        forms = self.search.has_only_forms & self.search.stem_grams & self.scope & self.filter
        return _fetch_pks(
            f"SELECT asset_id {_FROM} {forms.text} {_NEWEST} LIMIT %s OFFSET %s", [*forms.params, limit, offset]
        )

    def _walk_sorted(self, limit: int, offset: int) -> list[int]:
        """Test the assets in the order of the selection."""
        search = self.search
        matches = search.has_every_word | search.is_exact | search.has_forms
        found = f"EXISTS (SELECT 1 {_FROM} s.asset_id = assets_asset.id AND {matches.text} OFFSET 0)"
        is_found = RawSQL(found, list(matches.params), output_field=_BOOLEAN)  # noqa: S611
        page = self.selection.queryset().filter(is_found).values_list("pk", flat=True)
        return list(page[offset : offset + limit])

    def count(self) -> int:
        search, restriction = self.search, self.scope & self.filter
        words = search.has_every_word & restriction
        exact = search.is_exact & ~search.has_every_word & restriction
        forms = search.has_only_forms & search.stem_grams & restriction
        rest = [exact, forms] if search.exact_pks else [forms]
        key = repr((connection.settings_dict["NAME"], search, restriction))
        return count_matches(key, [words, *rest])


def _subquery(sql: str, assets: QuerySet[Asset]) -> Sql:
    text, params = assets.query.sql_with_params()
    return Sql(sql.format(text), tuple(params))


def _fetch_pks(sql: str, params: Sequence[object]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [pk for (pk,) in cursor.fetchall()]
