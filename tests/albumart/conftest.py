"""A song, a source on loopback, and an enabled pipeline."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from albumart.models import Artwork
from albumart.pipeline.process import process_request
from albumart.queueing import request_artwork
from albumart.rate_limits import _limiter
from assets.models import Asset
from tests.factories.albumart import make_song
from tests.support.bad_server import bad_server
from tests.support.flag_states import set_flags
from tests.support.sample_images import make_cover
from tests.support.source_server import SourceServer

ON = ("album_art", "album_art_pipeline")


@pytest.fixture(autouse=True)
def empty_storage(settings: Settings) -> None:
    """Open new in-memory storages by setting STORAGES, because files are not rolled back after a test."""
    settings.STORAGES = dict(settings.STORAGES)


@pytest.fixture(autouse=True)
def fresh_paces() -> None:
    """Reset the rate limits of all sources."""
    _limiter().storage.reset()


@pytest.fixture
def switched_on(db: None) -> Iterator[None]:
    with set_flags(*ON):
        yield


@pytest.fixture(scope="module")
def running_server() -> Iterator[SourceServer]:
    with bad_server() as server:
        yield server


@pytest.fixture
def server(running_server: SourceServer, settings: Settings) -> SourceServer:
    """Yield an allowed source with TLS and without a rate limit."""
    for name, value in running_server.settings.items():
        setattr(settings, name, value)
    settings.ALBUMART_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.ALBUMART_FIRST_BYTE_TIMEOUT_SECONDS = 1.0
    settings.ALBUMART_FETCH_TIMEOUT_SECONDS = 3.0
    settings.ALBUMART_RETRY_SECONDS = 0.001
    running_server.requests.clear()
    running_server.serve("/cover.jpg", make_cover())
    return running_server


@pytest.fixture
def song(db: None) -> Asset:
    return make_song()


@pytest.fixture
def ask(song: Asset, server: SourceServer) -> Callable[..., Artwork]:
    """Return a function that requests the artwork at `path` of the server."""

    def make(path: str = "/cover.jpg", **fields: Any) -> Artwork:
        return ask_for(fields.pop("asset", song), server.url(path) if path.startswith("/") else path, **fields)

    return make


def ask_for(asset: Asset, url: str, **fields: Any) -> Artwork:
    facts = {"trigger": Artwork.Trigger.CLIENT, "by": "mira@studio.example", "now": timezone.now()} | fields
    return request_artwork(asset, source_url=url, **facts)


def run(artwork: Artwork) -> Artwork:
    process_request(artwork.pk, timezone.now)
    artwork.refresh_from_db()
    return artwork
