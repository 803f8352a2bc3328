"""What a search finds and in which order; one engine for the API and the admin.

Per asset, in any case, with `_`, `-` and space alike:
0. the asset the text names exactly (name, base name, address in either notation, id);
1. assets that hold the whole text in one of their fields;
2. assets that hold every word of it somewhere;
3. assets that hold every word in another grammatical form (English), as the legacy engine found them.

Substrings come from a trigram index, word forms from a full-text index; both are kept by the database.
"""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.postgres.search import SearchQuery, SearchVector, SearchVectorExact
from django.db.models import Case, Expression, IntegerField, Q, Value, When

from assets.finding import condition_for
from assets.models import Asset
from common.plain_text import check_text
from taxonomy.lookup import Directory

MAX_WORDS = 32
_NOT_WORDS = str.maketrans("_-", "  ")


@dataclass(frozen=True)
class SearchScope:
    """Which gated texts are searched beside names, addresses, taxonomy, description and tags."""

    has_creator_description: bool = False
    has_ai_metadata: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return (
            "search_text",
            *(["creator_search_text"] if self.has_creator_description else []),
            *(["ai_search_text"] if self.has_ai_metadata else []),
        )


EVERYTHING = SearchScope(has_creator_description=True, has_ai_metadata=True)


@dataclass(frozen=True)
class Search:
    """`condition` finds the rows, `rank` orders them (0 first)."""

    condition: Q
    rank: Expression


def check_search(text: str) -> str:
    """The text to search for, tidied; "" for none. Raises Invalid naming `search`."""
    return check_text(text, field="search", max_length=settings.ASSETS_MAX_SEARCH_CHARS).strip()


def plan_search(text: str, *, directory: Directory, scope: SearchScope) -> Search:
    """`text` has passed `check_search` and is not empty."""
    # One query finds what the text names, so that the large one can be planned on indexes of text alone.
    exact = condition_for(text, directory)
    exact_pks = list(Asset.objects.filter(exact).values_list("pk", flat=True)[:50]) if exact is not None else []
    words = list(dict.fromkeys(text.lower().translate(_NOT_WORDS).split()))[:MAX_WORDS]
    if not words:  # nothing but separators: nothing to compare by
        return Search(Q(pk__in=exact_pks), Value(0, output_field=IntegerField()))
    whole = _holds(" ".join(text.lower().translate(_NOT_WORDS).split()), scope)
    every_word = Q()
    for word in words:
        every_word &= _holds(word, scope)
    other_forms = Q()
    for column in scope.columns:
        vector = SearchVector(column, config="english")
        other_forms |= Q(SearchVectorExact(vector, SearchQuery(text, config="english")))
    rank = Case(
        When(pk__in=exact_pks, then=Value(0)),
        When(whole, then=Value(1)),
        When(every_word, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    condition = every_word | other_forms
    return Search(condition | Q(pk__in=exact_pks) if exact_pks else condition, rank)


def _holds(text: str, scope: SearchScope) -> Q:
    condition = Q()
    for column in scope.columns:
        condition |= Q(**{f"{column}__contains": text})
    return condition
