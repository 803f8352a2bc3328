"""Pictures of legacy songs: asked for by a backfill, fetched at the sources' paces, taken back with it."""

import pytest
from django.utils import timezone

from albumart.backfill_rules import LEGACY_SONGS, artwork_backfill_pending
from albumart.models import Artwork, ArtworkRun, ArtworkSource
from albumart.queueing import request_artwork
from backfills.run_control import begin_undo, finalise
from tests.factories.albumart import make_song
from tests.factories.assets import make_asset
from tests.support.backfills import BY, run_of, run_to_the_end, started

pytestmark = pytest.mark.django_db

COVER = "https://pictures.example/cover.jpg"


def _run() -> object:
    job = started(LEGACY_SONGS)
    run_to_the_end(job)
    return job


def test_songs_get_a_request_each_and_those_without_an_address_are_counted() -> None:
    source = ArtworkSource.objects.create(pattern="pictures.example", requests_per_minute=30)
    songs = [make_song(album_art=COVER), make_song(ai_metadata={"artworkUrl": COVER}, album_art=None)]
    make_song(album_art=None)
    make_asset("L.CAS.ATL", album_art=COVER)
    job = _run()
    run = run_of(job)
    assert (run.changed_rows + run.skipped_rows, run.failed_rows) == (3, 0)
    artworks = list(Artwork.objects.order_by("pk"))
    assert {artwork.asset_id for artwork in artworks} <= {song.pk for song in songs}
    assert len(artworks) == run.changed_rows
    assert all(artwork.run.name == f"Legacy songs, backfill {run.pk}" for artwork in artworks)
    waits = [(artwork.next_attempt_at - artwork.requested_at).total_seconds() for artwork in artworks]
    assert waits == [place * 60 / source.requests_per_minute for place in range(len(waits))]


def test_a_song_whose_picture_was_asked_for_is_left_alone() -> None:
    song = make_song(album_art=COVER)
    request_artwork(song, source_url=COVER, trigger=Artwork.Trigger.STAFF, by=BY, now=timezone.now())
    make_song(album_art=COVER)
    _run()
    assert song.artworks.count() == 1


def test_undone_requests_end_stored_pictures_are_no_longer_shown_and_peoples_stay() -> None:
    waiting, stored, changed = (make_song(album_art=COVER) for _ in range(3))
    job = _run()
    stored.artworks.update(status=Artwork.Status.STORED, finished_at=timezone.now(), size_bytes=9, width_px=500)
    request_artwork(changed, source_url=COVER, trigger=Artwork.Trigger.STAFF, by=BY, now=timezone.now())
    begin_undo(job.run_pk, by=BY, now=timezone.now())
    run_to_the_end(job)
    run = run_of(job)
    assert (run.state, run.restored_rows, run.conflict_rows) == ("undone", 2, 1)
    assert (waiting.artworks.get().status, waiting.artworks.get().error_code) == ("refused", "cancelled")
    assert not Artwork.objects.current().filter(asset__in=[waiting, stored]).exists()
    assert changed.artworks.current().get().trigger == Artwork.Trigger.STAFF
    assert ArtworkRun.objects.get().asset_pks == sorted(song.pk for song in (waiting, stored, changed))


def test_pictures_are_held_back_until_the_songs_were_asked_for() -> None:
    assert artwork_backfill_pending() is None
    make_song(album_art=COVER, origin="import")
    assert "legacy rows wait" in artwork_backfill_pending()
    job = _run()
    assert "finalise it first" in artwork_backfill_pending()
    finalise(job.run_pk, by=BY, now=timezone.now())
    assert artwork_backfill_pending() is None
