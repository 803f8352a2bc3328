"""Search of assets, for the API and the admin. Results are ranked:

0. the asset that the text names exactly (name, base name, address in either notation, id);
1. assets with the whole text in one field;
2. assets with all words in any fields;
3. assets with all words in another grammatical form (English), as in the legacy registry.

Case is ignored, and `_`, `-` and space are equal. This module parses the text and writes the SQL of each rank for rows
of `assets_search AS s`; `search_pages` reads the pages, `search_totals` counts.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, IntegerField
from django.db.models.expressions import RawSQL

from assets.lookup import reference_condition
from assets.models import Asset
from common.text_validation import clean_text
from taxonomy.snapshot import TaxonomySnapshot

MAX_WORDS = 32
_SEPARATORS = str.maketrans("_-", "  ")
_MAX_EXACT_MATCHES = 50
_HAS_TRIGRAM = re.compile(r"[^\W_]{3}")

# Exactly the expressions of the indexes, or PostgreSQL does not use them.
_HAS_STEMS = "assets_search_words({text}) @@ plainto_tsquery('english', %s)"
_HAS_GRAMS = "assets_search_grams(s.text) @@ %s::tsquery"
# The parser reads `<` in one text and `>` in a later one as a tag, and skips the words between: such rows are found
# with the full text of no use, by an index of their own.
_HAS_MARKUP = "strpos(s.text, '<') > 0 AND s.creator_length + s.ai_length > 0"


@dataclass(frozen=True)
class Sql:
    """An SQL condition with its parameters."""

    text: str
    params: tuple[object, ...] = ()

    def __and__(self, other: "Sql") -> "Sql":
        return Sql(f"({self.text} AND {other.text})", self.params + other.params)

    def __or__(self, other: "Sql") -> "Sql":
        return Sql(f"({self.text} OR {other.text})", self.params + other.params)

    def __invert__(self) -> "Sql":
        return Sql(f"(NOT {self.text})", self.params)


TRUE, FALSE = Sql("true"), Sql("false")


def join_sql(operator: str, conditions: Sequence[Sql]) -> Sql:
    return Sql(f"({operator.join(each.text for each in conditions)})", sum((each.params for each in conditions), ()))


@dataclass(frozen=True)
class SearchScope:
    """The gated texts to search in addition to names, addresses, taxonomy, description and tags."""

    has_creator_description: bool = False
    has_ai_metadata: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the searched texts as SQL. All texts together are one column, which the indexes hold."""
        if self.has_creator_description and self.has_ai_metadata:
            return ("s.text",)
        return (
            "left(s.text, s.base_length)",
            *(["substr(s.text, s.base_length + 2, s.creator_length)"] if self.has_creator_description else []),
            *(["right(s.text, s.ai_length)"] if self.has_ai_metadata else []),
        )

    @property
    def is_everything(self) -> bool:
        return len(self.columns) == 1 and self.has_ai_metadata


EVERYTHING = SearchScope(has_creator_description=True, has_ai_metadata=True)


@dataclass(frozen=True)
class Search:
    """A parsed text. Without words (only separators) no asset matches but the exact ones."""

    text: str
    words: tuple[str, ...]
    exact_pks: tuple[int, ...]
    scope: SearchScope = EVERYTHING

    @property
    def whole(self) -> str:
        return " ".join(self.text.lower().translate(_SEPARATORS).split())

    @cached_property
    def is_exact(self) -> Sql:
        return Sql("s.asset_id = ANY(%s)", (list(self.exact_pks),)) if self.exact_pks else FALSE

    @cached_property
    def has_whole(self) -> Sql:
        return self._contains(self.whole) if self.words else FALSE

    @cached_property
    def has_every_word(self) -> Sql:
        return join_sql(" AND ", [self._contains(word) for word in self.words]) if self.words else FALSE

    @cached_property
    def has_forms(self) -> Sql:
        if not self.words:
            return FALSE
        full = Sql(_HAS_STEMS.format(text="s.text"), (self.text,))
        if self.scope.is_everything:
            return full
        texts = [Sql(_HAS_STEMS.format(text=column), (self.text,)) for column in self.scope.columns]
        return (full | Sql(f"({_HAS_MARKUP})")) & join_sql(" OR ", texts)

    @cached_property
    def has_only_forms(self) -> Sql:
        """The last rank. Forms are tested last: they take a hundred times as long as words."""
        return ~self.has_every_word & ~self.is_exact & self.has_forms

    @cached_property
    def word_grams(self) -> Sql:
        """A necessary condition of `has_every_word` that has an index, for words that the trigram index cannot find."""
        if any(map(_HAS_TRIGRAM.search, self.words)):
            return TRUE
        return _has_grams([gram for word in self.words for gram in _pairs(word)])

    @cached_property
    def whole_grams(self) -> Sql:
        """A necessary condition of `has_whole`: the ends of adjacent words, which the trigram index does not hold."""
        words = self.whole.split(" ")
        adjacent = pairwise(words)
        ends = [f"{word[-2:]} {following[:2]}" for word, following in adjacent if len(word) > 1 and len(following) > 1]
        return _has_grams([_quote(end) for end in ends])

    @cached_property
    def stem_grams(self) -> Sql:
        """A necessary condition of `has_only_forms` that has an index, for words that are their own stems.

        A row without the word has a form that does not contain its stem, as "happier" does not contain "happi".
        """
        if not (self.scope.is_everything and self.words and _are_stems(self.text, self.words)):
            return TRUE
        return Sql(_HAS_GRAMS, (" | ".join(_quote(f" {word}") for word in self.words),))

    @property
    def condition(self) -> RawSQL:
        """Return the filter of a queryset of assets."""
        arms = [self.has_every_word, self.is_exact, self.has_only_forms & self.stem_grams]
        found = " UNION ALL ".join(f"SELECT s.asset_id FROM assets_search AS s WHERE {arm.text}" for arm in arms)  # noqa: S608
        return RawSQL(f"assets_asset.id IN ({found})", [p for arm in arms for p in arm.params], BooleanField())  # noqa: S611

    @property
    def rank(self) -> RawSQL:
        """Return the order of a queryset of assets that `condition` selects, the best match first."""
        arms = [self.is_exact, self.has_whole, self.has_every_word]
        cases = " ".join(f"WHEN {arm.text} THEN {number}" for number, arm in enumerate(arms))
        sql = f"(SELECT CASE {cases} ELSE 3 END FROM assets_search AS s WHERE s.asset_id = assets_asset.id)"  # noqa: S608
        return RawSQL(sql, [p for arm in arms for p in arm.params], IntegerField())  # noqa: S611

    def _contains(self, text: str) -> Sql:
        pattern = f"%{connection.ops.prep_for_like_query(text)}%"
        full = Sql("s.text LIKE %s", (pattern,))
        if self.scope.is_everything:
            return full
        return full & join_sql(" OR ", [Sql(f"{column} LIKE %s", (pattern,)) for column in self.scope.columns])


def clean_search(text: str) -> str:
    """Return the normalized search text; "" for none. Raises InvalidInput naming `search`."""
    return clean_text(text, field="search", max_length=settings.ASSETS_MAX_SEARCH_CHARS).strip()


def build_search(text: str, *, taxonomy: Callable[[], TaxonomySnapshot], scope: SearchScope) -> Search:
    """Parse a text from `clean_search` that is not empty."""
    exact = reference_condition(text, taxonomy)
    pks = Asset.objects.filter(exact).values_list("pk", flat=True)[:_MAX_EXACT_MATCHES] if exact is not None else ()
    words = dict.fromkeys(text.lower().translate(_SEPARATORS).split())
    return Search(text, tuple(words)[:MAX_WORDS], tuple(pks), scope)


def _pairs(word: str) -> list[str]:
    if len(word) == 1:
        return [f"{_quote(word)}:*"]  # each pair that starts with the character, or the end of a word
    return [_quote(word[start : start + 2]) for start in range(len(word) - 1)]


def _quote(gram: str) -> str:
    """Return the gram as an operand of tsquery."""
    escaped = gram.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _has_grams(grams: Sequence[str]) -> Sql:
    return Sql(_HAS_GRAMS, (" & ".join(dict.fromkeys(grams)),)) if grams else TRUE


@lru_cache(maxsize=2000)
def _are_stems(text: str, words: tuple[str, ...]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT plainto_tsquery('english', %s)::text", [text])
        return bool(cursor.fetchone()[0] == " & ".join(map(_quote, words)))
