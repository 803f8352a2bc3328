"""Search of assets, for the API and the admin. Results are ranked:

0. the asset that the text names exactly (name, base name, address in either notation, id);
1. assets with the whole text in one field;
2. assets with all words in any fields;
3. assets with all words in another grammatical form (English), as in the legacy registry.

Case is ignored, and `_`, `-` and space are equal. Substrings use a trigram index, word forms a full-text index.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, IntegerField
from django.db.models.expressions import RawSQL

from assets.lookup import reference_condition
from assets.models import Asset
from common.text_validation import clean_text
from taxonomy.snapshot import TaxonomySnapshot

MAX_WORDS = 32
_BOOLEAN, _INTEGER = BooleanField(), IntegerField()
_SEPARATORS = str.maketrans("_-", "  ")


@dataclass(frozen=True)
class SearchScope:
    """The gated texts to search in addition to names, addresses, taxonomy, description and tags."""

    has_creator_description: bool = False
    has_ai_metadata: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        if self.has_creator_description and self.has_ai_metadata:
            return ("full_search_text",)
        return (
            "search_text",
            *(["creator_search_text"] if self.has_creator_description else []),
            *(["ai_search_text"] if self.has_ai_metadata else []),
        )


EVERYTHING = SearchScope(has_creator_description=True, has_ai_metadata=True)


@dataclass(frozen=True)
class Search:
    """SQL over assets_asset: `condition` selects the rows, `rank` orders them (0 first)."""

    condition: RawSQL
    rank: RawSQL


def clean_search(text: str) -> str:
    """Return the normalized search text; "" for none. Raises InvalidInput naming `search`."""
    return clean_text(text, field="search", max_length=settings.ASSETS_MAX_SEARCH_CHARS).strip()


def build_search(text: str, *, taxonomy: Callable[[], TaxonomySnapshot], scope: SearchScope) -> Search:
    """Build the search for a text from `clean_search` that is not empty."""
    # A separate query finds exact matches, so that PostgreSQL plans the search with the text indexes only.
    exact = reference_condition(text, taxonomy)
    exact_pks = list(Asset.objects.filter(exact).values_list("pk", flat=True)[:50]) if exact is not None else []
    words = list(dict.fromkeys(text.lower().translate(_SEPARATORS).split()))[:MAX_WORDS]
    if not words:  # only separators
        return Search(_boolean(_IS_EXACT, [exact_pks]), RawSQL("NULL::int", [], output_field=_INTEGER))
    whole = " ".join(text.lower().translate(_SEPARATORS).split())
    # Written as SQL, because the ORM takes three times as long to build the query as PostgreSQL to run it.
    contains = "(" + " OR ".join(f"assets_asset.{column} LIKE %s" for column in scope.columns) + ")"
    every_word = "(" + " AND ".join([contains] * len(words)) + ")"
    every_word_params = [_like(word) for word in words for _ in scope.columns]
    other_forms = " OR ".join(_WORD_FORMS.format(column=column) for column in scope.columns)
    if not any(_HAS_TRIGRAM.search(word) for word in words):
        # A text without a trigram needs a table scan. The subquery keeps the scan from computing word forms per row.
        other_forms = f"assets_asset.id IN (SELECT id FROM assets_asset WHERE {other_forms})"  # noqa: S608
    condition = f"({every_word} OR {other_forms} OR {_IS_EXACT})" if exact_pks else f"({every_word} OR {other_forms})"
    condition_params = [*every_word_params, *[text] * len(scope.columns), *([exact_pks] if exact_pks else [])]
    # A case that no row can match is left out: each case costs planning time.
    cases, rank_params = [f"WHEN {contains} THEN 1"], [_like(whole)] * len(scope.columns)
    if exact_pks:
        cases, rank_params = [f"WHEN {_IS_EXACT} THEN 0", *cases], [exact_pks, *rank_params]
    if words != [whole]:
        cases, rank_params = [*cases, f"WHEN {every_word} THEN 2"], [*rank_params, *every_word_params]
    rank = f"CASE {' '.join(cases)} ELSE 3 END"
    return Search(
        _boolean(condition, condition_params),
        RawSQL(rank, rank_params, output_field=_INTEGER),  # noqa: S611  # words are passed as parameters
    )


_HAS_TRIGRAM = re.compile(r"[^\W_]{3}")
_IS_EXACT = "assets_asset.id = ANY(%s)"
# Exactly the expression of the index, or PostgreSQL does not use the index.
_WORD_FORMS = (
    "to_tsvector('english'::regconfig, COALESCE(assets_asset.{column}, ''))"
    " @@ plainto_tsquery('english'::regconfig, %s)"
)


def _boolean(sql: str, params: list[object]) -> RawSQL:
    return RawSQL(sql, params, output_field=_BOOLEAN)  # noqa: S611


def _like(text: str) -> str:
    return f"%{connection.ops.prep_for_like_query(text)}%"
