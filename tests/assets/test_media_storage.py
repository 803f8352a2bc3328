"""Media storage on both backends: a folder, and Google Cloud Storage over HTTP."""

import os
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client, override_settings

from assets.media_storage import delete_media, public_url, save_media
from common.errors import Unavailable
from tests.support.media import make_png, make_svg
from tests.support.storage_backends import gcs_emulator, storage

__all__ = ["gcs_emulator", "storage"]  # fixtures

COMPOSITE_KEY = "C/MIX/OFF/C.MIX.OFF.001:G.001.002.001:S.001.002.003.png"


def fetch(url: str) -> tuple[bytes, str]:
    if url.startswith("http://testserver/"):
        response = Client().get(url.removeprefix("http://testserver"))
        assert response.status_code == 200
        return b"".join(response.streaming_content), response["Content-Type"]
    with urlopen(url, timeout=5) as response:
        return response.read(), response.headers["Content-Type"]


def save(key: str, content: bytes, mime_type: str = "image/png") -> None:
    save_media(key=key, content=ContentFile(content, name=key.rpartition("/")[2]), mime_type=mime_type)


@pytest.mark.parametrize("key", ["L/CAS/ATL/L.CAS.ATL.001.png", COMPOSITE_KEY])
def test_a_file_is_stored_served_and_deleted(storage: str, key: str) -> None:
    png = make_png()
    assert not default_storage.exists(key)
    save(key, png)
    assert default_storage.exists(key)
    assert default_storage.size(key) == len(png)
    with default_storage.open(key) as content:
        assert content.read() == png
    url = public_url(key)
    assert url == storage + key
    assert fetch(url) == (png, "image/png")
    delete_media(key)
    assert not default_storage.exists(key)
    delete_media(key)  # deleting again does not fail


def test_a_taken_key_keeps_its_bytes(storage: str) -> None:
    key = "L/CAS/ATL/L.CAS.ATL.001.png"
    save(key, b"the first")
    with pytest.raises(Unavailable) as caught:
        save(key, b"the second")
    assert caught.value.field_errors[0].field == "file"
    with default_storage.open(key) as content:
        assert content.read() == b"the first"
    assert default_storage.listdir("L/CAS/ATL")[1] == ["L.CAS.ATL.001.png"]


def test_a_large_file_is_served_completely(storage: str) -> None:
    content = os.urandom(5 * 1024 * 1024)
    save("M/HIP/BAS/M.HIP.BAS.001.mp4", content, "video/mp4")
    assert fetch(public_url("M/HIP/BAS/M.HIP.BAS.001.mp4")) == (content, "video/mp4")


def test_a_failing_storage_is_unavailable(settings: Any, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    media = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(blocked)}}
    with override_settings(STORAGES=settings.STORAGES | {"default": media}), pytest.raises(Unavailable):
        save("a/b.png", b"x")


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    media = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "media")}}
    settings.STORAGES = settings.STORAGES | {"default": media}
    (tmp_path / "secret.txt").write_text("secret")
    save("a/ten.png", b"0123456789")
    return tmp_path


def get(key: str = "a/ten.png", method: str = "GET", **headers: str) -> Any:
    return Client().generic(method, f"/media/{key}", headers=headers)


@pytest.mark.parametrize(
    ("wanted", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-300", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=9-500", 206, b"9", "bytes 9-9/10"),
        ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("bytes=5-2", 200, b"0123456789", None),
        ("bytes=" + "9" * 5000 + "-", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
        ("bytes=١-٢", 200, b"0123456789", None),
    ],
)
def test_ranges_are_served(folder: Path, wanted: str, status: int, body: bytes, content_range: str | None) -> None:
    response = get(Range=wanted)
    assert response.status_code == status
    content = b"".join(response.streaming_content) if response.streaming else response.content
    assert content == body
    assert response.get("Content-Range") == content_range
    if status != 416:
        assert response["Content-Length"] == str(len(body))
        assert response["Accept-Ranges"] == "bytes"


def test_head_has_the_headers_and_no_body(folder: Path) -> None:
    response = get(method="HEAD")
    assert (response.status_code, response["Content-Length"], response["Content-Type"]) == (200, "10", "image/png")
    assert response.content == b""
    assert get(method="HEAD", Range="bytes=0-3")["Content-Range"] == "bytes 0-3/10"


def test_cors_allows_only_the_frontends(folder: Path) -> None:
    origin = "https://nna-registry-frontend.vercel.app"
    response = get(Origin=origin)
    assert response["Access-Control-Allow-Origin"] == origin
    assert "origin" in response["Vary"].lower()
    assert not get(Origin="https://evil.example").has_header("Access-Control-Allow-Origin")
    preflight = {"Origin": origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    response = get(method="OPTIONS", **preflight)
    assert response.status_code == 200
    assert "range" in response["Access-Control-Allow-Headers"]


def test_an_svg_opened_as_a_page_runs_no_script(folder: Path) -> None:
    save("a/x.svg", make_svg(), "image/svg+xml")
    response = get("a/x.svg")
    assert response["Content-Type"] == "image/svg+xml"
    assert response["Content-Security-Policy"].startswith("sandbox;")
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "key",
    ["../secret.txt", "%2e%2e/secret.txt", "a/../../secret.txt", "a/%2e%2e/%2e%2e/secret.txt", "/etc/passwd",
     "%2Fetc%2Fpasswd", "..%5csecret.txt", "a", "a/", "absent.png", "%00", "a/ten.png%00.png", "x" * 5000],
)  # fmt: skip
def test_paths_outside_the_folder_are_not_served(folder: Path, key: str) -> None:
    response = get(key)
    assert response.status_code == 404
    assert b"secret" not in response.content.replace(key.encode(), b"")


def test_media_are_read_only(folder: Path) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert get(method=method).status_code in (403, 405)
    assert default_storage.exists("a/ten.png")
