"""The rule that requests artwork of legacy songs: requests, rate limits, pause, cancel and undo."""

from datetime import timedelta

import pytest
from django.utils import timezone

from albumart.backfill_rules import LEGACY_SONGS, artwork_backfill_pending
from albumart.claims import claim_artwork
from albumart.dispatch import reject_requests_of_cancelled_runs
from albumart.models import Artwork, ArtworkCohort, ArtworkSource
from albumart.queueing import request_artwork
from backfills.run_control import begin_undo, cancel, finalise, pause, resume
from backfills.tasks import continue_run
from common.errors import InvalidInput
from jobs.run_context import RunContext
from tests.factories.albumart import make_song
from tests.factories.assets import make_asset
from tests.support.backfills import BY, run_of, run_to_the_end, started

pytestmark = pytest.mark.django_db

COVER = "https://pictures.example/cover.jpg"


def _run() -> RunContext:
    context = started(LEGACY_SONGS)
    run_to_the_end(context)
    return context


def test_each_song_with_a_url_gets_a_request_and_others_are_skipped() -> None:
    source = ArtworkSource.objects.create(pattern="pictures.example", requests_per_minute=30)
    songs = [make_song(album_art=COVER), make_song(ai_metadata={"artworkUrl": COVER}, album_art=None)]
    make_song(album_art=None)
    make_asset("L.CAS.ATL", album_art=COVER)
    run = run_of(_run())
    assert (run.changed_rows + run.skipped_rows, run.failed_rows) == (3, 0)
    artworks = list(Artwork.objects.order_by("pk"))
    assert {artwork.asset_id for artwork in artworks} <= {song.pk for song in songs}
    assert len(artworks) == run.changed_rows
    assert all(artwork.cohort.name == f"Legacy songs, backfill {run.pk}" for artwork in artworks)
    delays = [(artwork.next_attempt_at - artwork.requested_at).total_seconds() for artwork in artworks]
    assert delays == [position * 60 / source.requests_per_minute for position in range(len(delays))]


def test_a_song_with_a_request_gets_no_second_one() -> None:
    song = make_song(album_art=COVER)
    request_artwork(song, source_url=COVER, trigger=Artwork.Trigger.STAFF, by=BY, now=timezone.now())
    make_song(album_art=COVER)
    _run()
    assert song.artworks.count() == 1


def test_parameters_limit_the_songs_and_the_hosts() -> None:
    first, other = make_song(album_art=COVER), make_song(album_art="https://elsewhere.example/x.jpg")
    make_song(album_art=COVER)
    context = started(LEGACY_SONGS, parameters={"last_pk": str(other.pk), "sources": "pictures.example"})
    run_to_the_end(context)
    assert [artwork.asset for artwork in Artwork.objects.all()] == [first]
    assert run_of(context).skipped_rows == 1
    for parameters in ({"last_pk": "many"}, {"colour": "red"}):
        with pytest.raises(InvalidInput, match=next(iter(parameters))):
            started(LEGACY_SONGS, parameters=parameters)


def test_a_run_is_over_when_its_requests_are_finished() -> None:
    song = make_song(album_art=COVER)
    context = started(LEGACY_SONGS)
    continue_run(context.run_pk)
    run = run_of(context)
    assert (run.state, run.changed_rows) == ("running", 1)
    assert run.wait_reason == "1 request open: The flag album_art_pipeline is off"
    song.artworks.update(status=Artwork.Status.STORED, finished_at=timezone.now(), size_bytes=9, width_px=500)
    continue_run(context.run_pk)
    assert run_of(context).state == "finished"


def test_a_paused_run_holds_its_requests() -> None:
    song = make_song(album_art=COVER)
    context = started(LEGACY_SONGS)
    continue_run(context.run_pk)
    later = timezone.now() + timedelta(minutes=1)
    pause(context.run_pk, by=BY, now=timezone.now())
    assert claim_artwork(song.artworks.get().pk, later) is None
    resume(context.run_pk, by=BY, now=timezone.now())
    assert claim_artwork(song.artworks.get().pk, later) is not None


def test_a_cancelled_run_rejects_its_pending_requests() -> None:
    song = make_song(album_art=COVER)
    context = started(LEGACY_SONGS)
    continue_run(context.run_pk)
    cancel(context.run_pk, by=BY, now=timezone.now())
    assert claim_artwork(song.artworks.get().pk, timezone.now() + timedelta(minutes=1)) is None
    assert reject_requests_of_cancelled_runs(timezone.now()) == 1
    artwork = song.artworks.get()
    assert (artwork.status, artwork.error_code, artwork.is_current) == ("refused", "cancelled", False)


def test_an_undo_ends_requests_hides_stored_artwork_and_keeps_requests_of_users() -> None:
    waiting, stored, changed = (make_song(album_art=COVER) for _ in range(3))
    context = _run()
    stored.artworks.update(status=Artwork.Status.STORED, finished_at=timezone.now(), size_bytes=9, width_px=500)
    request_artwork(changed, source_url=COVER, trigger=Artwork.Trigger.STAFF, by=BY, now=timezone.now())
    begin_undo(context.run_pk, by=BY, now=timezone.now())
    run_to_the_end(context)
    run = run_of(context)
    assert (run.state, run.restored_rows, run.conflict_rows) == ("undone", 2, 1)
    assert (waiting.artworks.get().status, waiting.artworks.get().error_code) == ("refused", "cancelled")
    assert not Artwork.objects.current().filter(asset__in=[waiting, stored]).exists()
    assert changed.artworks.current().get().trigger == Artwork.Trigger.STAFF
    assert set(ArtworkCohort.objects.get().songs.values_list("asset_pk", flat=True)) == {
        song.pk for song in (waiting, stored, changed)
    }


def test_the_rollout_is_blocked_until_the_run_is_finalised() -> None:
    assert artwork_backfill_pending() is None
    make_song(album_art=COVER, origin="import")
    assert "legacy rows wait" in artwork_backfill_pending()
    context = _run()
    assert "finalise it first" in artwork_backfill_pending()
    finalise(context.run_pk, by=BY, now=timezone.now())
    assert artwork_backfill_pending() is None
