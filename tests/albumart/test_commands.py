"""`process_artwork`: the plan, the requests, the bar, the figures."""

import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from albumart.dispatch import claim_due_for_dispatch
from albumart.metrics import cohort_metrics, run_wait_reason
from albumart.models import Artwork, ArtworkRun
from tests.albumart.conftest import run
from tests.factories.albumart import ArtworkFactory, ArtworkCohortFactory, make_song, make_stored
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


def test_a_dry_run_shows_the_plan_and_asks_for_nothing(songs: object, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("process_artwork", "--missing", "--dry-run")
    printed = capsys.readouterr().out
    assert "4 songs without a picture: 2 with a known address, 1 on hosts not on the list of sources, 1 with none" in (
        printed
    )
    assert "this takes about 0:00:02" in printed
    assert Artwork.objects.count() == 1


def test_requests_of_a_run_are_spread_at_the_pace_of_their_source(songs: object) -> None:
    call_command("process_artwork", "--missing", "--no-wait", "--name", "existing songs")
    made = ArtworkRun.objects.get(name="existing songs")
    first, second = made.artworks.order_by("next_attempt_at")
    assert second.next_attempt_at - first.next_attempt_at == timedelta(seconds=1)
    assert claim_due_for_dispatch(timezone.now()) == [first.pk]
    run(first)
    assert cohort_metrics(made) | {"bytes": 0, "by_status": 0} == {
        "name": "existing songs", "songs": 4, "with_picture": 1, "never_asked": 2, "asked": 2, "done": 1, "stored": 1,
        "by_status": 0, "bytes": 0, "is_paused": False,
    }  # fmt: skip


def test_a_limit_holds_and_a_name_is_taken_once(songs: object) -> None:
    call_command("process_artwork", "--missing", "--no-wait", "--limit", "1", "--name", "one")
    assert ArtworkRun.objects.get().artworks.count() == 1
    with pytest.raises(CommandError, match="there is a run named one already"):
        call_command("process_artwork", "--missing", "--no-wait", "--name", "one")
    with pytest.raises(CommandError, match="at least 1"):
        call_command("process_artwork", "--missing", "--limit", "0")


@pytest.mark.django_db(transaction=True)
def test_the_bar_goes_on_until_the_queue_is_done(
    songs: object, switched_on: None, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        while not ArtworkRun.objects.exists() or Artwork.objects.open().exists():
            Artwork.objects.update(next_attempt_at=timezone.now())
            for artwork in Artwork.objects.waiting():
                run(artwork)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    call_command("process_artwork", "--missing", "--name", "watched")
    worker.join(30)
    assert "Run watched: 2 of 2 done (2 stored)." in capsys.readouterr().out


def test_runs_are_paused_resumed_and_cancelled_by_name(songs: object, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("process_artwork", "--missing", "--no-wait", "--name", "mine")
    call_command("process_artwork", "--pause", "mine")
    assert claim_due_for_dispatch(timezone.now()) == []
    assert run_wait_reason(ArtworkRun.objects.get(), timezone.now()) == "Paused"
    call_command("process_artwork", "--resume", "mine")
    assert len(claim_due_for_dispatch(timezone.now())) == 1
    call_command("process_artwork", "--cancel", "mine")
    assert "2 requests cancelled" in capsys.readouterr().out
    assert set(ArtworkRun.objects.get().artworks.values_list("error_code", flat=True)) == {"cancelled"}
    call_command("process_artwork", "--missing", "--no-wait", "--name", "again")
    assert ArtworkRun.objects.get(name="again").artworks.count() == 2
    with pytest.raises(CommandError, match="no run named yours"):
        call_command("process_artwork", "--pause", "yours")


def test_failed_ones_go_on_and_one_asset_is_fetched_again(
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


def test_the_status_tells_share_causes_queue_and_cohorts(
    server: SourceServer, capsys: pytest.CaptureFixture[str]
) -> None:
    now = timezone.now()
    make_stored(finished_at=now)
    ArtworkFactory(status="refused", error_code="image_broken", finished_at=now)
    ArtworkFactory(status="refused", error_code="superseded", finished_at=now)
    ArtworkFactory(cohort=ArtworkCohortFactory(name="existing songs", asset_pks=[1, 2]))
    call_command("process_artwork", "--status")
    printed = capsys.readouterr().out
    assert "Stored in 7 days: 50.0% of 2 (goal over 90%)" in printed
    assert "1 waiting, 0 running" in printed
    assert "1 refused image_broken art.example" in printed
    assert "run existing songs: 0 of 2 songs have a picture" in printed


def test_a_run_says_why_nothing_moves(switched_on: None) -> None:
    now = timezone.now()
    held = ArtworkFactory(
        cohort=ArtworkCohortFactory(), next_attempt_at=now - timedelta(minutes=5), dispatched_at=now - timedelta(minutes=5)
    )
    assert run_wait_reason(held.run, now) == "No worker takes requests: is one running?"
    resting = ArtworkFactory(
        cohort=ArtworkCohortFactory(), next_attempt_at=now + timedelta(minutes=1), wait_reason="art.example rests"
    )
    assert run_wait_reason(resting.run, now) == "art.example rests"
    assert run_wait_reason(make_stored(cohort=ArtworkCohortFactory()).run, now) == ""


def test_with_the_flag_off_a_run_says_so() -> None:
    assert (
        run_wait_reason(ArtworkFactory(cohort=ArtworkCohortFactory()).run, timezone.now())
        == "The flag album_art_pipeline is off"
    )
