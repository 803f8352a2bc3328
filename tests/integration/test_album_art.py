"""Album art end to end: a client registers a song, a worker stores the artwork, staff upload and start a run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.demo import ADMIN_EMAIL, DEMO_PASSWORD, ensure_demo_users
from accounts.models import User
from albumart.models import Artwork
from albumart.tasks import process_artwork
from taxonomy.sync import install_starter_taxonomy
from tests.factories.accounts import bearer
from tests.factories.albumart import make_song
from tests.support.bad_server import bad_server
from tests.support.browser import log_in, needs_browser, open_page
from tests.support.flag_states import set_flags
from tests.support.media import make_wav, upload
from tests.support.processes import PROJECT, ended_at_last, wait_until, worker_environment
from tests.support.sample_images import make_cover
from tests.support.source_server import SourceServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), needs_browser]


@pytest.fixture(autouse=True)
def allow_database_beside_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser driver runs an event loop in this thread, in which Django rejects queries by default."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def source() -> Iterator[SourceServer]:
    with bad_server() as server:
        server.serve("/cover.jpg", make_cover(1100))
        yield server


@pytest.fixture
def worker(source: SourceServer, tmp_path: Path, settings: Settings) -> Iterator[None]:
    """A Celery worker on the database and queue of the test."""
    media = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": media}
    environment = worker_environment(
        tmp_path,
        ALBUMART_ALLOWED_HOSTS="127.0.0.1",
        OUTBOUND_ALLOW_LOOPBACK="1",
        OUTBOUND_ALLOWED_PORTS=str(source.port),
        OUTBOUND_CA_BUNDLE=str(source.authority),
    )
    command = [sys.executable, "-m", "celery", "--app", "config", "--quiet", "worker", "--pool", "prefork"]
    process = subprocess.Popen([*command, "--concurrency", "1"], env=environment, cwd=PROJECT, text=True)
    with ended_at_last(process):
        yield
        process.terminate()
        process.wait(30)


@pytest.fixture
def registry(live_server: object, settings: Settings) -> Iterator[str]:
    url: str = live_server.url  # type: ignore[attr-defined]
    settings.MEDIA_PUBLIC_URL = f"{url}/media/"
    install_starter_taxonomy(now=timezone.now())
    ensure_demo_users()
    with set_flags("album_art", "album_art_pipeline"):
        yield url


def test_artwork_is_fetched_shown_replaced_and_requested_by_a_run(
    registry: str, source: SourceServer, worker: None, settings: Settings, tmp_path: Path
) -> None:
    settings.ALBUMART_ALLOWED_HOSTS = ["127.0.0.1"]
    api = APIClient(headers={"Authorization": bearer(User.objects.get(email=ADMIN_EMAIL))})
    facts = {"layer": "G", "category": "Pop", "subcategory": "Base", "description": "A song"}
    facts |= {"albumArt": source.url("/cover.jpg"), "file": upload("song.wav", make_wav(), "audio/wav")}
    made = api.post("/api/assets", facts, format="multipart").json()["data"]
    assert made["albumArtDetails"]["status"] == "pending"

    def details() -> dict[str, object]:
        return api.get(f"/api/assets/{made['name']}").json()["data"]["albumArtDetails"]

    wait_until(lambda: details()["status"] == "stored", 60)
    assert details()["quality"] == "High"

    missing = make_song(album_art=source.url("/cover.jpg"))
    (tmp_path / "own.jpg").write_bytes(make_cover(600, color="maroon"))
    with open_page(registry) as (page, browser_errors):
        log_in(page, registry, ADMIN_EMAIL, DEMO_PASSWORD)
        page.goto(f"{registry}/admin/albumart/artwork/")
        page.click("#result_list tbody tr:first-child th a, #result_list tbody tr:first-child td a")
        page.wait_for_url("**/change/**")
        expect(page.get_by_text("Measurements")).to_be_visible()
        page.wait_for_load_state("networkidle")
        widths = page.eval_on_selector_all("figure img", "all => all.map(one => one.naturalWidth)")
        assert sorted(widths) == [150, 500, 1100]

        page.click("text=Upload instead")
        page.set_input_files("input[type=file]", str(tmp_path / "own.jpg"))
        page.click("button:has-text('Upload')")
        page.wait_for_url("**/change/**")
        wait_until(lambda: details()["source"] == "Manual", 60)

        page.goto(f"{registry}/admin/albumart/artwork/missing/")
        page.fill("input[name=name]", "existing songs")
        page.click("button:has-text('Start run')")
        page.wait_for_url("**/backfillrun/*/change/**")
        wait_until(lambda: Artwork.objects.filter(asset=missing).exists(), 60)
        process_artwork.delay(Artwork.objects.get(asset=missing).pk)  # as the schedule would
        expect(page.locator(".job-run strong").first).to_have_text("Finished", timeout=60_000)
        assert Artwork.objects.get(asset=missing).status == "stored"
        assert not browser_errors
