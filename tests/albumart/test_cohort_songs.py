"""Songs of a cohort as rows, and the migration from arrays and back."""

from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from albumart.backfill_rules import LEGACY_SONGS
from albumart.metrics import cohorts_metrics, pipeline_metrics, recent_cohorts
from albumart.models import ArtworkCohort, ArtworkCohortSong
from assets.models import Asset
from backfills.engine.run_context import context_for_run
from backfills.engine.run_setup import create_run_context, start_run
from jobs.batches import run_next_batch
from tests.factories.albumart import ArtworkCohortFactory, ArtworkFactory, make_song, make_stored
from tests.support.backfills import run_to_the_end


@pytest.mark.django_db
def test_a_batch_writes_only_its_own_songs() -> None:
    cohort = ArtworkCohortFactory()
    songs = [make_song() for _ in range(6)]
    pairs = [(song.pk, [f"https://art.example/{song.pk}.jpg"]) for song in songs]
    LEGACY_SONGS.perform(pairs[:3], run_pk=cohort.run_id, by="me", now=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        LEGACY_SONGS.perform(pairs[3:], run_pk=cohort.run_id, by="me", now=timezone.now())
    writes = [query["sql"] for query in queries if "albumart_artworkcohortsong" in query["sql"]]
    assert len(writes) == 1
    assert str(songs[0].pk) not in writes[0].replace(str(cohort.pk), "")
    assert not [query for query in queries if query["sql"].startswith('UPDATE "albumart_artworkcohort"')]
    assert set(cohort.songs.values_list("asset_pk", flat=True)) == {song.pk for song in songs}
    LEGACY_SONGS.record_start(Asset.objects.filter(layer="G"), run_pk=cohort.run_id)
    assert cohort.songs.count() == 6


@pytest.mark.django_db
def test_metrics_of_many_cohorts_need_as_many_queries_as_of_one() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            pipeline_metrics(timezone.now())
        return len(captured)

    def add_cohort() -> None:
        cohort = ArtworkCohortFactory()
        stored = make_stored(cohort=cohort, size_bytes=7)
        other = ArtworkFactory()
        songs = [stored.asset_id, other.asset_id, 10**9]
        ArtworkCohortSong.objects.bulk_create(ArtworkCohortSong(cohort=cohort, asset_pk=pk) for pk in songs)

    add_cohort()
    count = queries()
    for _ in range(4):
        add_cohort()
    assert queries() == count
    for metrics in cohorts_metrics(recent_cohorts()):
        names = ("songs", "with_picture", "never_asked", "asked", "done", "stored", "bytes")
        assert [metrics[name] for name in names] == [3, 1, 1, 1, 1, 1, 7]


@pytest.fixture
def migrated_database(own_database: None) -> None:
    call_command("migrate", verbosity=0)
    return


def _query(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


@pytest.mark.slow
def test_a_run_in_progress_keeps_its_songs_through_the_migration_and_back(migrated_database: None) -> None:
    songs = [make_song(album_art=f"https://art.example/{number}.jpg") for number in range(4)]
    context = create_run_context(
        LEGACY_SONGS, apps, parameters={}, by="me", reason="a test", now=timezone.now(), batch_size=2
    )
    start_run(context, by="me", now=timezone.now())
    run_next_batch(context, now=timezone.now())
    arrays = "SELECT asset_pks FROM albumart_artworkcohort"
    first = sorted(song.pk for song in songs)[:2]
    call_command("migrate", "albumart", "0009", verbosity=0)
    assert _query(arrays) == [(first,)]
    call_command("migrate", "albumart", verbosity=0)
    cohort = ArtworkCohort.objects.get()
    assert sorted(cohort.songs.values_list("asset_pk", flat=True)) == first
    run_to_the_end(context_for_run(cohort.run))
    assert cohort.songs.count() == cohort.artworks.count() == 4
    call_command("migrate", "albumart", "0009", verbosity=0)
    assert _query(arrays) == [(sorted(song.pk for song in songs),)]
    call_command("migrate", verbosity=0)
