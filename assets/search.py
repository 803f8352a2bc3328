"""What a search finds and in which order; one engine for the API and the admin.

Per asset, in any case, with `_`, `-` and space alike:
0. the asset the text names exactly (name, base name, address in either notation, id);
1. assets that hold the whole text in one of their fields;
2. assets that hold every word of it somewhere;
3. assets that hold every word in another grammatical form (English), as the legacy engine found them.

Substrings come from a trigram index, word forms from a full-text index; both are kept by the database.
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
_TRUTH, _NUMBER = BooleanField(), IntegerField()
_NOT_WORDS = str.maketrans("_-", "  ")


@dataclass(frozen=True)
class SearchScope:
    """Which gated texts are searched beside names, addresses, taxonomy, description and tags."""

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
    """`condition` finds the rows, `rank` orders them (0 first). Both are for queries on the asset table."""

    condition: RawSQL
    rank: RawSQL


def clean_search(text: str) -> str:
    """The text to search for, tidied; "" for none. Raises Invalid naming `search`."""
    return clean_text(text, field="search", max_length=settings.ASSETS_MAX_SEARCH_CHARS).strip()


def build_search(text: str, *, directory: Callable[[], TaxonomySnapshot], scope: SearchScope) -> Search:
    """`text` has passed `clean_search` and is not empty."""
    # One query finds what the text names, so that the large one can be planned on indexes of text alone.
    exact = reference_condition(text, directory)
    exact_pks = list(Asset.objects.filter(exact).values_list("pk", flat=True)[:50]) if exact is not None else []
    words = list(dict.fromkeys(text.lower().translate(_NOT_WORDS).split()))[:MAX_WORDS]
    if not words:  # nothing but separators: nothing to compare by
        return Search(_boolean(_IS_EXACT, [exact_pks]), RawSQL("NULL::int", [], output_field=_NUMBER))
    whole = " ".join(text.lower().translate(_NOT_WORDS).split())
    # Written by hand: to have this built from parts took three times as long as to run it.
    holds = "(" + " OR ".join(f"assets_asset.{column} LIKE %s" for column in scope.columns) + ")"
    every_word = "(" + " AND ".join([holds] * len(words)) + ")"
    every_word_params = [_like(word) for word in words for _ in scope.columns]
    other_forms = " OR ".join(_WORD_FORMS.format(column=column) for column in scope.columns)
    if not any(_HAS_TRIGRAM.search(word) for word in words):
        # So short a text means reading the table; but its rows must not be turned into word forms one by one.
        other_forms = f"assets_asset.id IN (SELECT id FROM assets_asset WHERE {other_forms})"  # noqa: S608
    condition = f"({every_word} OR {other_forms} OR {_IS_EXACT})" if exact_pks else f"({every_word} OR {other_forms})"
    condition_params = [*every_word_params, *[text] * len(scope.columns), *([exact_pks] if exact_pks else [])]
    # A case that can hold for no row is left out: each costs planning time.
    cases, rank_params = [f"WHEN {holds} THEN 1"], [_like(whole)] * len(scope.columns)
    if exact_pks:
        cases, rank_params = [f"WHEN {_IS_EXACT} THEN 0", *cases], [exact_pks, *rank_params]
    if words != [whole]:
        cases, rank_params = [*cases, f"WHEN {every_word} THEN 2"], [*rank_params, *every_word_params]
    rank = f"CASE {' '.join(cases)} ELSE 3 END"
    return Search(
        _boolean(condition, condition_params),
        RawSQL(rank, rank_params, output_field=_NUMBER),  # noqa: S611  # words go as parameters
    )


_HAS_TRIGRAM = re.compile(r"[^\W_]{3}")
_IS_EXACT = "assets_asset.id = ANY(%s)"
# To the letter as the index has it.
_WORD_FORMS = (
    "to_tsvector('english'::regconfig, COALESCE(assets_asset.{column}, ''))"
    " @@ plainto_tsquery('english'::regconfig, %s)"
)


def _boolean(sql: str, params: list[object]) -> RawSQL:
    return RawSQL(sql, params, output_field=_TRUTH)  # noqa: S611


def _like(text: str) -> str:
    return f"%{connection.ops.prep_for_like_query(text)}%"
