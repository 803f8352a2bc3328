"""The assets that the benchmarks load have the words and tags in the shares that the result tables name."""

import pytest
from django.db import connection
from django.utils import timezone

from assets.models import Asset, SequenceCounter
from benchmarks.dataset import load_assets
from benchmarks.words import COMMON_PAIR, COMMON_WORDS, RARE_PAIR, RARE_ROWS, RARE_WORDS, WIDE_TAG, WORD_IN_MOST
from taxonomy.sync import install_starter_taxonomy

pytestmark = pytest.mark.django_db(transaction=True)
_COUNT = 4000


def test_words_and_tags_have_the_named_shares() -> None:
    install_starter_taxonomy(now=timezone.now())
    indexes = _index_names()

    load_assets(_COUNT, now=timezone.now())

    assets = Asset.objects.all()
    assert assets.count() == _COUNT
    assert {assets.filter(full_search_text__contains=word).count() for word in RARE_WORDS} == {RARE_ROWS}
    assert assets.filter(full_search_text__contains=RARE_PAIR).count() == RARE_ROWS
    for word in (*COMMON_WORDS, COMMON_WORDS[0][2:5]):
        assert assets.filter(full_search_text__contains=word).count() / _COUNT == pytest.approx(0.1, abs=0.02), word
    assert assets.filter(full_search_text__contains=COMMON_PAIR).count() / _COUNT == pytest.approx(0.15, abs=0.02)
    assert assets.filter(full_search_text__contains=WORD_IN_MOST).count() / _COUNT > 0.97
    assert assets.filter(tags__contains=[WIDE_TAG]).count() / _COUNT == pytest.approx(0.18, abs=0.02)
    assert sum(SequenceCounter.objects.values_list("live_count", flat=True)) == _COUNT
    assert _index_names() == indexes


def _index_names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename LIKE 'assets%%'")
        return {name for (name,) in cursor.fetchall()}
