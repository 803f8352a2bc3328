"""After a kill of the worker at any boundary, the artwork is stored exactly once."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from albumart.claims import release_stale_claims
from albumart.models import Artwork, ArtworkFile
from tests.albumart.conftest import ask_for, run
from tests.factories.albumart import make_song
from tests.support.processes import ENVIRONMENT, PROJECT
from tests.support.source_server import SourceServer

_SHARED_SETTINGS = ("STORAGES", "ALBUMART_ALLOWED_HOSTS", "OUTBOUND_ALLOW_LOOPBACK", "OUTBOUND_ALLOWED_PORTS",
                    "OUTBOUND_CA_BUNDLE")  # fmt: skip
STEPS = ("fetch", "validate", "scan", "resize", "store")
CRASH_POINTS = [f"{when} {step}" for step in STEPS for when in ("before", "within", "after")]
CRASH_POINTS += ["before record", "after record"]


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    media = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": media}
    return tmp_path


def _run_until_killed(artwork: Artwork, point: str) -> None:
    spec: dict[str, Any] = {
        "database": connection.settings_dict["NAME"],
        "settings": {name: getattr(django_settings, name) for name in _SHARED_SETTINGS},
        "artwork_pk": artwork.pk,
        "point": point,
    }
    worker = subprocess.run(
        [sys.executable, "-m", "tests.support.crashing_worker", json.dumps(spec)],
        cwd=PROJECT, env=ENVIRONMENT, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert worker.returncode == -9, worker.stderr.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", CRASH_POINTS)
def test_after_a_kill_the_request_is_finished_once(point: str, server: SourceServer, folder: Path) -> None:
    artwork = ask_for(make_song(), server.url("/cover.jpg"))
    _run_until_killed(artwork, point)
    artwork.refresh_from_db()
    if artwork.status == "running":
        later = timezone.now() + timedelta(seconds=django_settings.ALBUMART_LEASE_SECONDS + 1)
        assert release_stale_claims(later) == 1
        Artwork.objects.update(next_attempt_at=timezone.now())
        run(artwork)
    assert artwork.status == "stored", artwork.error_message
    assert Artwork.objects.count() == 1
    keys = sorted(ArtworkFile.objects.values_list("key", flat=True))
    assert len(keys) == 3
    assert keys == sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    assert all(default_storage.size(file.key) == file.size_bytes for file in artwork.files.all())
    assert server.request_count("/cover.jpg") == 1
