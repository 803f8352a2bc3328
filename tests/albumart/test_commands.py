"""`process_artwork`: plan, runs, retries, metrics."""

import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from albumart.dispatch import claim_due_for_dispatch
from albumart.metrics import cohort_metrics, run_wait_reason
from albumart.models import Artwork, ArtworkCohort, ArtworkCohortSong
from backfills.tasks import continue_run
from tests.albumart.conftest import run
from tests.factories.albumart import ArtworkCohortFactory, ArtworkFactory, make_song, make_stored
from tests.support.source_server import SourceServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def songs(server: SourceServer) -> list[str]:
    make_song(album_art=server.url("/cover.jpg"))
    make_song(ai_metadata={"albumArtUrl": server.url("/cover.jpg")})
    make_song(album_art="https://elsewhere.example/x.jpg")
    make_song()
    make_stored(asset=make_song(album_art=server.url("/cover.jpg")))
    return []


def _start_run(name: str, *options: str) -> ArtworkCohort:
    """Start a run by the command, and let a worker write its requests."""
    call_command("process_artwork", "--missing", "--no-wait", "--name", name, *options)
    cohort = ArtworkCohort.objects.get(name=name)
    continue_run(cohort.run_id)
    return cohort


def test_a_dry_run_shows_the_plan_and_requests_nothing(songs: object, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("process_artwork", "--missing", "--dry-run")
    printed = capsys.readouterr().out
    assert "4 songs without artwork: 2 with a known URL, 1 with a host that is not a source, 1 without a URL" in printed
    assert "require about 0:00:02" in printed
    assert Artwork.objects.count() == 1


def test_requests_of_a_run_keep_the_rate_limit_of_their_source(songs: object) -> None:
    cohort = _start_run("existing songs")
    first, second = cohort.artworks.order_by("next_attempt_at")
    assert second.next_attempt_at - first.next_attempt_at == timedelta(seconds=1)
    assert claim_due_for_dispatch(timezone.now()) == [first.pk]
    run(first)
    assert cohort_metrics(cohort) | {"bytes": 0, "by_status": 0} == {
        "name": "existing songs", "songs": 4, "with_picture": 1, "never_asked": 2, "asked": 2, "done": 1, "stored": 1,
        "by_status": 0, "bytes": 0, "is_paused": False,
    }  # fmt: skip


def test_limit_bounds_the_requests_and_a_name_is_unique(songs: object) -> None:
    assert _start_run("one", "--limit", "1").artworks.count() == 1
    with pytest.raises(CommandError, match="there is a run named one already"):
        call_command("process_artwork", "--missing", "--no-wait", "--name", "one")
    with pytest.raises(CommandError, match="at least 1"):
        call_command("process_artwork", "--missing", "--limit", "0")


def test_a_run_without_requests_is_a_cohort(server: SourceServer) -> None:
    song = make_song()
    cohort = _start_run("no URLs")
    assert (cohort.songs.get().asset_pk, cohort.artworks.count()) == (song.pk, 0)
    cohort.run.refresh_from_db()
    assert (cohort.run.state, cohort.run.skipped_rows) == ("finished", 1)


@pytest.mark.django_db(transaction=True)
def test_the_command_follows_a_run_until_its_requests_are_finished(
    songs: object, switched_on: None, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        while not ArtworkCohort.objects.exists():
            pass
        continue_run(ArtworkCohort.objects.get().run_id)
        while Artwork.objects.open().exists():
            Artwork.objects.update(next_attempt_at=timezone.now())
            for artwork in Artwork.objects.waiting():
                run(artwork)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    call_command("process_artwork", "--missing", "--name", "followed")
    worker.join(30)
    assert "Run followed: 2 of 2 done (2 stored)." in capsys.readouterr().out


def test_runs_are_paused_resumed_and_cancelled_by_name(songs: object, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = _start_run("mine")
    call_command("process_artwork", "--pause", "mine")
    assert claim_due_for_dispatch(timezone.now()) == []
    cohort.run.refresh_from_db()
    assert run_wait_reason(cohort, timezone.now()) == "Paused"
    call_command("process_artwork", "--resume", "mine")
    assert len(claim_due_for_dispatch(timezone.now())) == 1
    call_command("process_artwork", "--cancel", "mine")
    assert "2 requests cancelled" in capsys.readouterr().out
    assert set(cohort.artworks.values_list("error_code", flat=True)) == {"cancelled"}
    assert _start_run("again").artworks.count() == 2
    with pytest.raises(CommandError, match="no run named yours"):
        call_command("process_artwork", "--pause", "yours")


def test_failed_requests_are_retried_and_an_asset_is_refetched(
    songs: object, server: SourceServer, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = ArtworkFactory(
        status="failed", error_code="timeout", source_url=server.url("/cover.jpg"), finished_at=timezone.now()
    )
    call_command("process_artwork", "--failed", "--dry-run")
    call_command("process_artwork", "--failed")
    assert "1 failed requests were queued again" in capsys.readouterr().out
    assert run(failed).status == "stored"
    call_command("process_artwork", "--asset", failed.asset.name)
    again = Artwork.objects.waiting().get()
    assert (again.asset, again.is_current) == (failed.asset, False)
    with pytest.raises(CommandError):
        call_command("process_artwork", "--asset", "G.NO.SUCH.001")


def test_status_shows_success_errors_queue_and_runs(server: SourceServer, capsys: pytest.CaptureFixture[str]) -> None:
    now = timezone.now()
    make_stored(finished_at=now)
    ArtworkFactory(status="refused", error_code="image_broken", finished_at=now)
    ArtworkFactory(status="refused", error_code="superseded", finished_at=now)
    cohort = ArtworkCohortFactory(name="existing songs")
    cohort.songs.bulk_create(ArtworkCohortSong(cohort=cohort, asset_pk=pk) for pk in (1, 2))
    ArtworkFactory(cohort=cohort)
    call_command("process_artwork", "--status")
    printed = capsys.readouterr().out
    assert "Stored in 7 days: 50.0% of 2 (goal over 90%)" in printed
    assert "1 pending, 0 processing" in printed
    assert "1 refused image_broken art.example" in printed
    assert "run existing songs: 0 of 2 songs have artwork" in printed


def test_a_run_has_a_reason_while_it_makes_no_progress(switched_on: None) -> None:
    now = timezone.now()
    overdue = ArtworkFactory(
        cohort=ArtworkCohortFactory(),
        next_attempt_at=now - timedelta(minutes=5),
        dispatched_at=now - timedelta(minutes=5),
    )
    expected = "No worker processes requests. Check that Celery workers are running."
    assert run_wait_reason(overdue.cohort, now) == expected
    deferred = ArtworkFactory(
        cohort=ArtworkCohortFactory(), next_attempt_at=now + timedelta(minutes=1), wait_reason="art.example is blocked"
    )
    assert run_wait_reason(deferred.cohort, now) == "art.example is blocked"
    assert run_wait_reason(make_stored(cohort=ArtworkCohortFactory()).cohort, now) == ""


def test_a_run_names_the_flag_that_is_off() -> None:
    cohort = ArtworkFactory(cohort=ArtworkCohortFactory()).cohort
    assert run_wait_reason(cohort, timezone.now()) == "The flag album_art_pipeline is off"
