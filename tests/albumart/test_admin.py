"""Artwork in the admin: actions, uploads, sources, runs, metrics."""

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from albumart.models import Artwork, ArtworkCohort, ArtworkSource
from albumart.sources import record_failure
from backfills.tasks import continue_run, start_backfill
from tests.albumart.conftest import run
from tests.factories.accounts import AdminFactory, UserFactory
from tests.factories.albumart import ArtworkFactory, ArtworkSourceFactory, make_song, make_stored
from tests.support.sample_images import make_cover
from tests.support.source_server import SourceServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(AdminFactory())
    return client


def _run_action(client: Client, artwork: Artwork, action: str) -> Artwork:
    response = client.post(reverse("admin:albumart_artwork_action", args=[artwork.pk, action]))
    assert response.status_code == 302
    return Artwork.objects.order_by("-pk").first()


def test_a_refetch_keeps_the_current_artwork_until_the_new_one_is_stored(staff: Client, server: SourceServer) -> None:
    shown = make_stored(source_url=server.url("/cover.jpg"))
    again = _run_action(staff, shown, "refetch")
    assert (again.trigger, again.is_current, again.status) == ("staff", False, "waiting")
    assert Artwork.objects.current().get() == shown
    run(again)
    assert Artwork.objects.current().get() == again


def test_a_failed_request_is_retried_from_the_detail_page(staff: Client, server: SourceServer) -> None:
    failed = ArtworkFactory(status="failed", error_code="timeout", source_url=server.url("/cover.jpg"))
    assert _run_action(staff, failed, "retry").status == "waiting"
    failed.refresh_from_db()
    assert run(failed).status == "stored"
    assert _run_action(staff, failed, "retry").status == "stored"


def test_artwork_is_marked_as_not_found(staff: Client) -> None:
    marked = _run_action(staff, ArtworkFactory(), "mark-not-found")
    assert (marked.status, marked.error_code) == ("absent", "marked_absent")


def test_the_list_has_the_actions_of_the_detail_page(staff: Client) -> None:
    failed = ArtworkFactory(status="failed", error_code="timeout")
    for action in ("retry", "mark_not_found", "refetch"):
        url = reverse("admin:albumart_artwork_changelist")
        response = staff.post(url, {"action": action, "_selected_action": [failed.pk]}, follow=True)
        assert ": 1." in response.content.decode()


def test_an_upload_is_manual_and_current_when_stored(staff: Client) -> None:
    song = make_song()
    url = reverse("admin:albumart_artwork_upload", args=[song.pk])
    page = staff.get(url)
    assert "Runs never replace artwork" in page.content.decode()
    image = SimpleUploadedFile("../../x.jpg", make_cover(), "image/jpeg")
    response = staff.post(url, {"image": image})
    artwork = Artwork.objects.get()
    assert response.url == reverse("admin:albumart_artwork_change", args=[artwork.pk])
    assert (run(artwork).status, artwork.source_name, artwork.is_current) == ("stored", "Manual", True)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "one of the two"),
        ({"url": "ftp://x"}, "albumArt must be an http"),
        ({"url": "data:image/png;base64,AAAA"}, "Upload an image as a file"),
        ({"image": SimpleUploadedFile("x.jpg", b"")}, "empty"),
    ],
)
def test_an_invalid_upload_shows_the_error(fields: dict[str, object], expected: str, staff: Client) -> None:
    response = staff.post(reverse("admin:albumart_artwork_upload", args=[make_song().pk]), fields)
    assert response.status_code == 200
    assert expected in response.content.decode()
    assert not Artwork.objects.exists()


def test_the_detail_page_shows_measurements_steps_and_files(staff: Client, server: SourceServer) -> None:
    artwork = run(ArtworkFactory(source_url=server.url("/cover.jpg")))
    page = staff.get(reverse("admin:albumart_artwork_change", args=[artwork.pk])).content.decode()
    for expected in ("Refetch", "Measurements", "luma_deviation", "attempt 1", artwork.blurhash[:5]):
        assert expected in page
    assert page.count("/media/album-art/") >= 3


def test_the_page_of_a_song_shows_its_artwork_and_state(staff: Client) -> None:
    artwork = make_stored()
    page = staff.get(reverse("admin:assets_asset_change", args=[artwork.asset_id])).content.decode()
    assert reverse("admin:albumart_artwork_change", args=[artwork.pk]) in page
    assert "Upload artwork" in page


def test_edits_of_sources_are_recorded_and_circuit_breakers_are_reset(staff: Client) -> None:
    source = ArtworkSourceFactory(pattern="art.example")
    for _ in range(5):
        record_failure(source.pk, "it is unavailable", now=timezone.now())
    form = {"pattern": "art.example", "label": "Web", "is_enabled": "on", "requests_per_minute": 7, "max_redirects": 0}
    staff.post(reverse("admin:albumart_artworksource_change", args=[source.pk]), form)
    source.refresh_from_db()
    assert (source.requests_per_minute, source.circuit_state) == (7, "open")
    assert source.history.first().requests_per_minute == 7
    page = staff.get(reverse("admin:albumart_artworksource_change", args=[source.pk])).content.decode()
    assert "it is unavailable" in page
    url = reverse("admin:albumart_artworksource_changelist")
    staff.post(url, {"action": "reset_circuits", "_selected_action": [source.pk]})
    assert ArtworkSource.objects.get(pk=source.pk).circuit_state == "closed"


@pytest.mark.parametrize("pattern", ["https://x.example", "*.example", "a..b", "UPPER.example", "a/b", ".", ""])
def test_a_source_must_be_a_host(pattern: str, staff: Client) -> None:
    form = {"pattern": pattern, "label": "Web", "requests_per_minute": 7, "max_redirects": 0}
    before = ArtworkSource.objects.count()
    assert staff.post(reverse("admin:albumart_artworksource_add"), form).status_code == 200
    assert ArtworkSource.objects.count() == before


def test_a_run_for_missing_artwork_is_planned_and_started(staff: Client, server: SourceServer) -> None:
    song = make_song(album_art=server.url("/cover.jpg"))
    make_song()
    url = reverse("admin:albumart_missing_artwork")
    assert "2 songs have no artwork. 1 of them have a known artwork URL" in staff.get(url).content.decode()
    response = staff.post(url, {"name": "all of them", "reason": "a test"})
    run = ArtworkCohort.objects.get(name="all of them").run
    assert response.url == reverse("admin:backfills_backfillrun_change", args=[run.pk])
    assert (run.phase, run.reason, run.parameters["name"]) == ("starting", "a test", "all of them")
    assert not run.artwork_cohort.songs.exists()
    start_backfill(run.pk)
    run.refresh_from_db()
    assert (run.state, run.artwork_cohort.songs.count()) == ("running", 2)
    assert "Artwork of legacy songs" in staff.get(response.url).content.decode()
    assert "there is a run named" in staff.post(url, {"name": "all of them"}).content.decode()
    continue_run(run.pk)
    assert song.artworks.get().cohort.run == run
    assert "all of them" in staff.get(url).content.decode()


def test_the_missing_artwork_page_needs_control_of_runs_to_start_one(client: Client) -> None:
    viewer = UserFactory(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_artwork"))
    client.force_login(viewer)
    url = reverse("admin:albumart_missing_artwork")
    assert "Start run" not in client.get(url).content.decode()
    assert client.post(url, {"name": "all"}).status_code == 403
    assert not ArtworkCohort.objects.exists()


def test_the_metrics_page_opens_with_and_without_requests(staff: Client) -> None:
    url = reverse("admin:albumart_metrics")
    assert "No request finished in 7 days" in staff.get(url).content.decode()
    make_stored(finished_at=timezone.now())
    assert "of 1 requests finished in 1 day are stored" in staff.get(url, {"days": "1"}).content.decode()
    assert staff.get(url, {"days": "x"}).status_code == 200


def test_a_user_without_the_permission_changes_nothing(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True))
    artwork = ArtworkFactory()
    for name, args in (
        ("albumart_artwork_action", [artwork.pk, "mark-not-found"]),
        ("albumart_artwork_upload", [artwork.asset_id]),
        ("albumart_missing_artwork", []),
        ("albumart_metrics", []),
    ):
        url = reverse(f"admin:{name}", args=args)
        assert client.post(url).status_code in (403, 405), name
        assert client.get(url).status_code in (403, 405), name
    artwork.refresh_from_db()
    assert artwork.status == "waiting"
