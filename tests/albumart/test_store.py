"""Images in both kinds of storage: complete, once, with content-addressed keys."""

import hashlib
from typing import Any
from urllib.request import urlopen

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from albumart.models import ArtworkFile
from albumart.queueing import Upload, upload_artwork
from assets.models import Asset
from common.content_addressed_storage import content_key, save_if_absent
from common.errors import Unavailable
from config.cloud_storage import WriteOnceCloudStorage
from tests.albumart.conftest import run
from tests.support.failing_storage import FAILING
from tests.support.sample_images import make_cover
from tests.support.storage_backends import gcs_emulator, storage

__all__ = ["gcs_emulator", "storage"]  # fixtures


def test_the_key_is_the_hash_of_the_bytes(storage: str, song: Asset) -> None:
    origin = {"trigger": "staff", "by": "mira@studio.example", "now": timezone.now()}
    artwork = run(upload_artwork(song, Upload(make_cover(), "image/jpeg"), **origin))
    assert artwork.status == "stored", artwork.error_message
    for file in artwork.files.all():
        with default_storage.open(file.key) as stored:
            content = stored.read()
        digest = hashlib.sha256(content).hexdigest()
        assert file.key == f"album-art/{digest[:2]}/{digest}.jpg"
        assert len(content) == file.size_bytes
    again = run(upload_artwork(song, Upload(make_cover(), "image/jpeg"), **origin))
    assert again.steps.get(name="store").details == {"written": 0, "already_there": 3}
    assert ArtworkFile.objects.values("key").distinct().count() == 3


def test_an_incomplete_file_is_replaced_and_a_complete_one_kept(storage: str) -> None:
    key = content_key("album-art", b"whole picture", "image/jpeg")
    default_storage.save(key, ContentFile(b"whole"))
    assert save_if_absent(key, b"whole picture", content_type="image/jpeg")
    assert not save_if_absent(key, b"whole picture", content_type="image/jpeg")
    with default_storage.open(key) as stored:
        assert stored.read() == b"whole picture"


@pytest.mark.parametrize("storage", ["gcs"], indirect=True)
def test_an_upload_whose_response_was_lost_can_be_repeated(storage: str) -> None:
    key = content_key("album-art", b"picture", "image/jpeg")
    cloud = storages["default"]
    assert isinstance(cloud, WriteOnceCloudStorage)
    cloud._save(key, ContentFile(b"picture"))
    with pytest.raises(FileExistsError):  # the generation is no longer 0: the storage itself refuses
        cloud._save(key, ContentFile(b"another"))
    assert not save_if_absent(key, b"picture", content_type="image/jpeg")
    with urlopen(storage + key, timeout=5) as answer:
        assert answer.read() == b"picture"
    assert cloud.bucket.get_blob(key).cache_control == "public, max-age=31536000, immutable"


def test_a_storage_that_fails_is_unavailable(settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {"default": FAILING}
    with pytest.raises(Unavailable):
        save_if_absent("album-art/ab/x.jpg", b"x", content_type="image/jpeg")


@given(st.binary(max_size=64))
def test_the_key_depends_only_on_the_bytes(content: bytes) -> None:
    key = content_key("album-art", content, "image/webp")
    assert key == f"album-art/{key.split('/')[1]}/{hashlib.sha256(content).hexdigest()}.webp"
