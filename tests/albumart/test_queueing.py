"""Requests are stored even if the broker is unavailable."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from celery import current_app
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu import Connection, pools

from albumart.dispatch import claim_due_for_dispatch
from albumart.models import Artwork
from albumart.tasks import cleanup_artwork_storage, dispatch_due_artworks, process_artwork, recheck_not_found_artworks
from tests.albumart.conftest import ask_for
from tests.factories.accounts import AdminFactory
from tests.factories.albumart import DAY_ONE, ArtworkFactory, make_song, make_stored
from tests.support.source_server import SourceServer


@pytest.fixture
def dead_queue() -> Iterator[None]:
    """Set the URL of a broker that does not run."""
    before = current_app.amqp._producer_pool
    options = current_app.conf.broker_transport_options
    current_app.amqp._producer_pool = pools.producers[Connection("redis://127.0.0.1:1/0", transport_options=options)]
    yield
    current_app.amqp._producer_pool = before


@pytest.mark.django_db(transaction=True)
def test_a_request_is_kept_while_the_broker_is_unavailable(dead_queue: None, caplog: pytest.LogCaptureFixture) -> None:
    began = time.monotonic()
    artwork = ask_for(make_song(), "https://art.example/x.jpg")
    assert time.monotonic() - began < 10
    assert "queue unavailable, message left to the schedule" in caplog.text
    artwork.refresh_from_db()
    assert artwork.status == "waiting"
    assert claim_due_for_dispatch(timezone.now() + timedelta(seconds=61)) == [artwork.pk]


def test_requests_are_pending_while_the_flag_is_off(db: None, server: SourceServer) -> None:
    artwork = ask_for(make_song(), server.url("/cover.jpg"))
    process_artwork(artwork.pk)
    dispatch_due_artworks()
    artwork.refresh_from_db()
    assert (artwork.status, artwork.attempts) == ("waiting", 0)
    assert not server.requests


def test_the_schedule_queues_due_requests_and_releases_expired_claims(switched_on: None) -> None:
    lost = ArtworkFactory()
    Artwork.objects.filter(pk=lost.pk).update(
        status="running",
        claim="00000000-0000-0000-0000-000000000001",
        claimed_at=DAY_ONE,
        claim_expires_at=DAY_ONE,
        attempts=1,
    )
    due = ArtworkFactory()
    dispatch_due_artworks()
    lost.refresh_from_db()
    due.refresh_from_db()
    assert (lost.status, lost.error_code) == ("waiting", "worker_died")
    assert due.dispatched_at is not None


def test_the_nightly_tasks_are_scheduled(switched_on: None) -> None:
    absent = ArtworkFactory(status="absent", error_code="source_absent", finished_at=DAY_ONE)
    recheck_not_found_artworks()
    cleanup_artwork_storage()
    absent.refresh_from_db()
    assert absent.status == "waiting"


def test_the_asset_list_filters_songs_by_artwork(client: Client, db: None) -> None:
    client.force_login(AdminFactory())
    with_picture, without = make_stored().asset, make_song()
    url = reverse("admin:assets_asset_changelist")
    page = client.get(url, {"has_album_art": "yes"}).content.decode()
    assert with_picture.name in page
    assert without.name not in page
    assert without.name in client.get(url, {"has_album_art": "no"}).content.decode()
