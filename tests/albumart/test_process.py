"""One attempt of one request, with well-behaved and misbehaving sources on loopback."""

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from albumart.claims import claim_artwork
from albumart.errors import ManualArtworkProtected
from albumart.models import Artwork, ArtworkContent, ArtworkFile, ArtworkStep
from albumart.pipeline.process import process_request
from albumart.queueing import Upload, request_artwork, upload_artwork
from assets.models import Asset
from common.errors import Unavailable
from tests.albumart.conftest import ask_for, run
from tests.factories.albumart import ArtworkCohortFactory, make_song
from tests.support.sample_images import make_cover
from tests.support.source_server import SourceServer

Ask = Callable[..., Artwork]


def stored(key: str) -> Image.Image:
    with default_storage.open(key) as content:
        return Image.open(io.BytesIO(content.read()))


def test_an_image_is_stored_as_three_files_and_a_row(ask: Ask, server: SourceServer) -> None:
    server.serve("/big.jpg", make_cover(1200))
    artwork = run(ask("/big.jpg"))
    assert (artwork.status, artwork.quality, artwork.width_px, artwork.is_current) == ("stored", "High", 1200, True)
    files = {file.name: file for file in artwork.files.all()}
    assert {name: stored(file.key).size for name, file in files.items()} == {
        "150": (150, 150), "500": (500, 500), "original": (1200, 1200),
    }  # fmt: skip
    assert artwork.blurhash
    assert artwork.dominant_color.startswith("#")
    steps = list(artwork.steps.values_list("name", "outcome"))
    assert [name for name, _ in steps] == ["fetch", "validate", "scan", "resize", "store"]
    assert {outcome for _, outcome in steps} == {"done", "skipped"}
    assert all(step.duration_ms is not None for step in artwork.steps.all())
    assert not ArtworkContent.objects.exists()


def test_a_small_image_is_not_enlarged(ask: Ask, server: SourceServer) -> None:
    server.serve("/small.png", make_cover(200, form="PNG"), content_type="image/png")
    artwork = run(ask("/small.png"))
    assert {file.name: file.width_px for file in artwork.files.all()} == {"150": 150, "500": 200, "original": 200}
    assert artwork.quality == "Low"


def test_equal_bytes_are_stored_once(ask: Ask) -> None:
    first, second = run(ask()), run(ask(asset=make_song()))
    assert first.files.get(name="500").key == second.files.get(name="500").key
    assert second.steps.get(name="store").details == {"written": 0, "already_there": 3}


def test_the_requested_size_of_a_scalable_source_is_limited(ask: Ask, server: SourceServer) -> None:
    server.serve("/image/thumb/Music/v4/x.jpg/1200x1200bb.jpg", make_cover(1200))
    artwork = run(ask("/image/thumb/Music/v4/x.jpg/100x100bb.jpg"))
    assert artwork.width_px == 1200
    assert artwork.source_url.endswith("/100x100bb.jpg")


def test_location_and_camera_are_removed(ask: Ask, server: SourceServer) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 12.0)
    server.serve("/gps.jpg", make_cover(exif=exif, comment=b"SecretComment"))
    artwork = run(ask("/gps.jpg"))
    for file in artwork.files.all():
        with default_storage.open(file.key) as content:
            written = content.read()
        assert b"Secret" not in written
        assert b"Exif" not in written


REFUSED = {
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "format_not_accepted"),
    "html": (b"<!doctype html><title>no</title>", "format_not_accepted"),
    "gif": (b"GIF89a" + bytes(300), "format_not_accepted"),
    "empty": (b"", "format_not_accepted"),
    "truncated": (make_cover()[:-400], "image_truncated"),
    "polyglot": (make_cover() + b"PK\x03\x04" + bytes(80), "image_polyglot"),
    "garbage": (make_cover(64)[:400] + bytes(range(256)) * 8 + b"\xff\xd9", None),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_invalid_image_is_rejected_with_a_code_and_a_message(kind: str, ask: Ask, server: SourceServer) -> None:
    content, code = REFUSED[kind]
    server.serve("/bad.jpg", content)
    artwork = run(ask("/bad.jpg"))
    assert artwork.status == "refused"
    assert artwork.error_code == code or (code is None and artwork.error_code.startswith("image_"))
    assert artwork.error_message.endswith(".")
    assert not ArtworkFile.objects.exists()
    assert default_storage.listdir("")[0] == []


@pytest.mark.parametrize(
    ("status", "headers", "expected", "code"),
    [
        (404, {}, "absent", "source_absent"),
        (410, {}, "absent", "source_absent"),
        (403, {}, "refused", "unexpected_status"),
        (429, {"Retry-After": "7"}, "waiting", "source_throttled"),
        (503, {}, "waiting", "server_error"),
        (200, {"Content-Encoding": "gzip"}, "refused", "encoded_body"),
        (302, {"Location": "http://169.254.169.254/latest"}, "refused", "redirect_refused"),
    ],
)
def test_the_response_of_the_source_decides_the_state(
    status: int, headers: dict[str, str], expected: str, code: str, ask: Ask, server: SourceServer
) -> None:
    server.serve("/answer", b"x", status=status, headers=headers)
    artwork = run(ask("/answer"))
    assert (artwork.status, artwork.error_code) == (expected, code)


BEHAVIOURS = {
    "/drip-head": {"timeout"}, "/drip-body": {"timeout", "too_slow"}, "/reset": {"connection_broken"},
    "/endless": {"too_large"}, "/short-body": {"connection_broken"},
}  # fmt: skip


def _misbehaving(server: SourceServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"

    def endless(conversation: Any) -> None:
        conversation.send(head + b"\r\n")
        while not conversation.server.is_closing.is_set():
            conversation.send(bytes(65536))

    server.answer_by("/drip-head", lambda c: c.drip(head * 40, 0.1))
    server.answer_by("/drip-body", lambda c: (c.send(head + b"\r\n"), c.drip(bytes(200), 0.1)))
    server.answer_by("/reset", lambda c: (c.send(head + b"Content-Length: 9\r\n\r\nabc"), c.pause(0.1), c.reset()))
    server.answer_by("/short-body", lambda c: c.send(head + b"Content-Length: 900\r\n\r\nabc"))
    server.answer_by("/endless", endless)


@pytest.mark.parametrize("path", BEHAVIOURS)
def test_a_misbehaving_source_costs_only_its_timeout(path: str, ask: Ask, server: SourceServer) -> None:
    _misbehaving(server)
    artwork = run(ask(path))
    assert artwork.error_code in BEHAVIOURS[path]
    assert artwork.status == ("refused" if path == "/endless" else "waiting")
    assert not ArtworkContent.objects.exists()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://169.254.169.254/latest/meta-data", "blocked_address"),
        ("https://evil.example/x.jpg", "host_not_allowed"),
        ("https://is1-ssl.mzstatic.com.evil.example/x.jpg", "host_not_allowed"),
        ("http://127.0.0.1/x.jpg", "scheme_refused"),
        ("https://user:secret@127.0.0.1/x.jpg", "url_malformed"),
        ("https://127.0.0.1:22/x.jpg", "port_refused"),
    ],
)
def test_a_disallowed_url_is_rejected_without_a_request(url: str, code: str, ask: Ask, server: SourceServer) -> None:
    artwork = run(ask(url))
    assert (artwork.status, artwork.error_code) == ("refused", code)
    assert "secret" not in artwork.error_message
    assert not server.requests


def test_an_allowed_host_with_a_private_ip_is_rejected(ask: Ask, server: SourceServer, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    artwork = run(ask())
    assert (artwork.status, artwork.error_code) == ("refused", "blocked_address")


def test_a_request_fails_after_the_last_attempt_and_can_be_retried(ask: Ask, server: SourceServer) -> None:
    server.serve("/ill.jpg", b"", status=500)
    artwork = ask("/ill.jpg")
    for attempt in range(1, 5):
        run(artwork)
        assert (artwork.status, artwork.attempts) == ("waiting", attempt)
        assert artwork.next_attempt_at >= artwork.requested_at
        Artwork.objects.update(next_attempt_at=timezone.now())
    assert run(artwork).status == "failed"
    assert artwork.error_message.startswith("127.0.0.1")


def test_a_retry_of_a_later_step_does_not_fetch_again(ask: Ask, server: SourceServer, settings: Settings) -> None:
    settings.ALBUMART_CLAMD_URL = "tcp://127.0.0.1:1"
    artwork = run(ask())
    assert (artwork.status, artwork.attempts, artwork.wait_reason) == (
        "waiting", 0, "The virus scanner is unreachable",
    )  # fmt: skip
    assert not ArtworkFile.objects.exists()
    settings.ALBUMART_CLAMD_URL = ""
    Artwork.objects.update(next_attempt_at=timezone.now())
    assert run(artwork).status == "stored"
    assert server.request_count("/cover.jpg") == 1


def test_an_unavailable_storage_is_retried(ask: Ask, server: SourceServer, monkeypatch: Any) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise Unavailable("The file storage does not answer; it is tried again")

    with monkeypatch.context() as broken:
        broken.setattr("albumart.pipeline.store.save_if_absent", fail)
        assert run(ask()).status == "waiting"
    artwork = Artwork.objects.get()
    Artwork.objects.update(next_attempt_at=timezone.now())
    assert run(artwork).status == "stored"
    assert server.request_count("/cover.jpg") == 1


def test_an_unexpected_exception_keeps_the_request(ask: Ask, monkeypatch: Any) -> None:
    monkeypatch.setattr("albumart.pipeline.process.render_artwork", lambda *_: 1 / 0)
    artwork = run(ask())
    assert (artwork.status, artwork.error_code) == ("waiting", "internal_error")
    assert artwork.steps.get(name="resize").message == "Unexpected ZeroDivisionError"


def test_a_deleted_song_gets_no_artwork(ask: Ask, song: Asset, server: SourceServer) -> None:
    artwork = ask()
    Asset.objects.filter(pk=song.pk).update(deleted_at=timezone.now())
    assert run(artwork).error_code == "asset_deleted"
    assert not server.requests


def test_automation_does_not_replace_uploaded_artwork(ask: Ask, song: Asset, server: SourceServer) -> None:
    now = timezone.now()
    waiting = ask(trigger=Artwork.Trigger.AUTOMATION)
    Artwork.objects.filter(pk=waiting.pk).update(is_current=False, status="failed", error_code="x")
    manual = upload_artwork(song, Upload(make_cover(800), ""), trigger="staff", by="a@b.example", now=now)
    assert run(manual).is_current
    Artwork.objects.filter(pk=waiting.pk).update(status="waiting", error_code="")
    assert run(waiting).error_code == "manual_art_kept"
    assert Artwork.objects.current().get() == manual


def test_automation_does_not_replace_a_url_chosen_by_staff(ask: Ask, song: Asset, server: SourceServer) -> None:
    chosen = run(ask(trigger=Artwork.Trigger.STAFF))
    server.serve("/better.jpg", make_cover(1200))
    with pytest.raises(ManualArtworkProtected):
        ask("/better.jpg", trigger=Artwork.Trigger.AUTOMATION)
    assert Artwork.objects.current().get() == chosen


def test_automation_replaces_artwork_only_by_higher_quality(ask: Ask, song: Asset, server: SourceServer) -> None:
    shown = run(ask())
    again = ask(trigger=Artwork.Trigger.AUTOMATION, is_current=False)
    assert run(again).error_code == "not_better"
    assert Artwork.objects.current().get() == shown
    server.serve("/better.jpg", make_cover(1200))
    better = ask("/better.jpg", trigger=Artwork.Trigger.AUTOMATION, is_current=False)
    assert run(better).status == "stored"
    assert Artwork.objects.current().get() == better


def test_a_newer_request_replaces_a_running_one(ask: Ask, song: Asset, server: SourceServer) -> None:
    older = ask()
    claim = claim_artwork(older.pk, timezone.now())
    assert claim is not None
    newer = ask()
    older.refresh_from_db()
    assert (older.status, older.error_code) == ("refused", "superseded")
    assert run(newer).status == "stored"
    assert Artwork.objects.current().get() == newer


@pytest.mark.django_db(transaction=True)
def test_concurrent_processing_stores_the_artwork_once(server: SourceServer, switched_on: None) -> None:
    artwork = ask_for(make_song(), server.url("/cover.jpg"))
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait()
        process_request(artwork.pk, timezone.now)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    artwork.refresh_from_db()
    assert (artwork.status, artwork.attempts) == ("stored", 1)
    assert server.request_count("/cover.jpg") == 1
    assert ArtworkStep.objects.filter(name="store").count() == 1
    assert ArtworkFile.objects.count() == 3


def test_a_request_of_a_paused_run_is_not_processed(ask: Ask, server: SourceServer) -> None:
    artwork = ask()
    artwork.cohort = ArtworkCohortFactory(run__state="paused")
    artwork.save()
    assert run(artwork).status == "waiting"
    assert not server.requests


def test_automation_cannot_request_artwork_chosen_by_a_user(song: Asset, server: SourceServer) -> None:
    now = timezone.now()
    run(upload_artwork(song, Upload(make_cover(), ""), trigger="staff", by="a@b.example", now=now))
    with pytest.raises(ManualArtworkProtected, match="A user chose"):
        request_artwork(song, source_url=server.url("/cover.jpg"), trigger="automation", by="command", now=now)
