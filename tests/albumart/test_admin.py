"""What staff do with pictures."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from albumart.models import Artwork, ArtworkRun, ArtworkSource
from albumart.sources import record_failure
from tests.albumart.conftest import run
from tests.factories.accounts import AdminFactory, UserFactory
from tests.factories.albumart import ArtworkFactory, ArtworkCohortFactory, ArtworkSourceFactory, make_song, make_stored
from tests.support.covers import make_cover
from tests.support.source_server import SourceServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(AdminFactory())
    return client


def _do(client: Client, artwork: Artwork, verb: str) -> Artwork:
    answer = client.post(reverse("admin:albumart_artwork_action", args=[artwork.pk, verb]))
    assert answer.status_code == 302
    return Artwork.objects.order_by("-pk").first()


def test_fetching_again_keeps_what_is_shown_until_the_new_one_is_stored(staff: Client, server: SourceServer) -> None:
    shown = make_stored(source_url=server.url("/cover.jpg"))
    again = _do(staff, shown, "again")
    assert (again.trigger, again.is_current, again.status) == ("staff", False, "waiting")
    assert Artwork.objects.current().get() == shown
    run(again)
    assert Artwork.objects.current().get() == again


def test_a_failed_request_goes_on_from_the_detail_page(staff: Client, server: SourceServer) -> None:
    failed = ArtworkFactory(status="failed", error_code="timeout", source_url=server.url("/cover.jpg"))
    assert _do(staff, failed, "rerun").status == "waiting"
    failed.refresh_from_db()
    assert run(failed).status == "stored"
    assert _do(staff, failed, "rerun").status == "stored"


def test_one_can_be_marked_as_absent(staff: Client) -> None:
    marked = _do(staff, ArtworkFactory(), "absent")
    assert (marked.status, marked.error_code) == ("absent", "marked_absent")


def test_actions_of_the_list_call_the_same_verbs(staff: Client) -> None:
    failed = ArtworkFactory(status="failed", error_code="timeout")
    for action in ("rerun", "mark_absent", "fetch_again"):
        url = reverse("admin:albumart_artwork_changelist")
        answer = staff.post(url, {"action": action, "_selected_action": [failed.pk]}, follow=True)
        assert "1 picture" in answer.content.decode()


def test_an_uploaded_picture_is_manual_and_shown_when_stored(staff: Client) -> None:
    song = make_song()
    url = reverse("admin:albumart_artwork_upload", args=[song.pk])
    page = staff.get(url)
    assert "never replaced by automation" in page.content.decode()
    picture = SimpleUploadedFile("../../x.jpg", make_cover(), "image/jpeg")
    answer = staff.post(url, {"picture": picture})
    artwork = Artwork.objects.get()
    assert answer.url == reverse("admin:albumart_artwork_change", args=[artwork.pk])
    assert (run(artwork).status, artwork.source_name, artwork.is_current) == ("stored", "Manual", True)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "one of the two"),
        ({"address": "ftp://x"}, "albumArt must be an http"),
        ({"address": "data:image/png;base64,AAAA"}, "uploaded above"),
        ({"picture": SimpleUploadedFile("x.jpg", b"")}, "empty"),
    ],
)
def test_a_bad_upload_says_what_is_wrong(fields: dict[str, object], expected: str, staff: Client) -> None:
    answer = staff.post(reverse("admin:albumart_artwork_upload", args=[make_song().pk]), fields)
    assert answer.status_code == 200
    assert expected in answer.content.decode()
    assert not Artwork.objects.exists()


def test_the_detail_page_tells_the_whole_story(staff: Client, server: SourceServer) -> None:
    artwork = run(ArtworkFactory(source_url=server.url("/cover.jpg")))
    page = staff.get(reverse("admin:albumart_artwork_change", args=[artwork.pk])).content.decode()
    for expected in ("Refetch", "What was measured", "luma_deviation", "attempt 1", artwork.blurhash[:5]):
        assert expected in page
    assert page.count("/media/album-art/") >= 3


def test_the_page_of_a_song_shows_its_picture_and_state(staff: Client) -> None:
    artwork = make_stored()
    page = staff.get(reverse("admin:assets_asset_change", args=[artwork.asset_id])).content.decode()
    assert reverse("admin:albumart_artwork_change", args=[artwork.pk]) in page
    assert "Upload a picture" in page


def test_sources_are_edited_on_record_and_their_breakers_reset(staff: Client) -> None:
    source = ArtworkSourceFactory(pattern="art.example")
    for _ in range(5):
        record_failure(source.pk, "it is ill", now=timezone.now())
    form = {"pattern": "art.example", "label": "Web", "is_enabled": "on", "requests_per_minute": 7, "max_redirects": 0}
    staff.post(reverse("admin:albumart_artworksource_change", args=[source.pk]), form)
    source.refresh_from_db()
    assert (source.requests_per_minute, source.circuit_state) == (7, "open")
    assert source.history.first().requests_per_minute == 7
    page = staff.get(reverse("admin:albumart_artworksource_change", args=[source.pk])).content.decode()
    assert "it is ill" in page
    url = reverse("admin:albumart_artworksource_changelist")
    staff.post(url, {"action": "reset_breakers", "_selected_action": [source.pk]})
    assert ArtworkSource.objects.get(pk=source.pk).circuit_state == "closed"


@pytest.mark.parametrize("pattern", ["https://x.example", "*.example", "a..b", "UPPER.example", "a/b", ".", ""])
def test_a_source_is_a_host_and_nothing_else(pattern: str, staff: Client) -> None:
    form = {"pattern": pattern, "label": "Web", "requests_per_minute": 7, "max_redirects": 0}
    before = ArtworkSource.objects.count()
    assert staff.post(reverse("admin:albumart_artworksource_add"), form).status_code == 200
    assert ArtworkSource.objects.count() == before


def test_missing_pictures_are_planned_started_watched_and_steered(staff: Client, server: SourceServer) -> None:
    make_song(album_art=server.url("/cover.jpg"))
    make_song()
    plan = reverse("admin:albumart_artworkrun_plan")
    assert "2 songs have no picture" in staff.get(plan).content.decode()
    answer = staff.post(plan, {"name": "all of them", "reason": "why not"})
    made = ArtworkRun.objects.get()
    assert answer.url == reverse("admin:albumart_artworkrun_change", args=[made.pk])
    assert "all of them" in staff.get(answer.url).content.decode()
    figures = staff.get(reverse("admin:albumart_artworkrun_progress", args=[made.pk])).json()
    assert (figures["asked"], figures["done"], figures["songs"]) == (1, 0, 2)
    for verb, expected in (("pause", "Paused"), ("resume", "The flag album_art_pipeline is off"), ("cancel", "")):
        staff.post(reverse("admin:albumart_artworkrun_action", args=[made.pk, verb]))
        figures = staff.get(reverse("admin:albumart_artworkrun_progress", args=[made.pk])).json()
        assert figures["wait_reason"] == expected
    assert "there is a run named" in staff.post(plan, {"name": "all of them"}).content.decode()


def test_the_figures_page_opens_empty_and_full(staff: Client) -> None:
    url = reverse("admin:albumart_metrics")
    assert "Nothing ended in these 7 days" in staff.get(url).content.decode()
    make_stored(finished_at=timezone.now())
    assert "of 1 requests that ended in 1 day are stored" in staff.get(url, {"days": "1"}).content.decode()
    assert staff.get(url, {"days": "x"}).status_code == 200


def test_whoever_lacks_the_permission_changes_nothing(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True))
    artwork = ArtworkFactory(cohort=ArtworkCohortFactory())
    for name, args in (
        ("albumart_artwork_action", [artwork.pk, "absent"]),
        ("albumart_artwork_upload", [artwork.asset_id]),
        ("albumart_artworkrun_plan", []),
        ("albumart_artworkrun_action", [artwork.run_id, "cancel"]),
        ("albumart_artworkrun_progress", [artwork.run_id]),
        ("albumart_metrics", []),
    ):
        url = reverse(f"admin:{name}", args=args)
        assert client.post(url).status_code in (403, 405), name
        assert client.get(url).status_code in (403, 405), name
    artwork.refresh_from_db()
    assert artwork.status == "waiting"
