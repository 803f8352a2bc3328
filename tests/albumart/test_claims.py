"""One worker per request; requests of dead workers are claimed again; those that kill workers fail."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from albumart.claims import claim_artwork, defer, finish, release_stale_claims, schedule_retry
from albumart.dispatch import claim_due_for_dispatch, recheck_not_found
from albumart.errors import ClaimLost, Deferred
from albumart.models import Artwork, ArtworkStep
from common.errors import Unavailable
from tests.factories.albumart import DAY_ONE, ArtworkCohortFactory, ArtworkFactory, make_stored

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_only_one_worker_claims_a_request() -> None:
    artwork = ArtworkFactory()
    claim = claim_artwork(artwork.pk, NOW)
    assert claim is not None
    assert claim.attempt == 1
    assert claim_artwork(artwork.pk, NOW) is None


def test_a_request_that_is_not_due_or_finished_is_not_claimed() -> None:
    assert claim_artwork(ArtworkFactory(next_attempt_at=after(1)).pk, NOW) is None
    assert claim_artwork(make_stored().pk, NOW) is None


def test_a_worker_whose_claim_expired_overwrites_nothing() -> None:
    artwork = ArtworkFactory()
    slow = claim_artwork(artwork.pk, NOW)
    assert release_stale_claims(after(121)) == 1
    Artwork.objects.update(next_attempt_at=after(121))
    quick = claim_artwork(artwork.pk, after(122))
    assert slow is not None
    assert quick is not None
    assert quick.attempt == 2
    with pytest.raises(ClaimLost):
        finish(slow, "failed", Unavailable("late"), now=after(130))
    finish(quick, "absent", Unavailable("in time"), now=after(130))
    artwork.refresh_from_db()
    assert artwork.status == "absent"


def test_a_living_worker_keeps_its_claim() -> None:
    claim_artwork(ArtworkFactory().pk, NOW)
    assert release_stale_claims(after(119)) == 0


def test_a_request_that_kills_several_workers_fails_with_a_reason() -> None:
    artwork = ArtworkFactory()
    ArtworkStep.objects.create(artwork=artwork, attempt=1, name="resize")
    moment = NOW
    for _ in range(5):
        Artwork.objects.update(next_attempt_at=moment)
        assert claim_artwork(artwork.pk, moment) is not None
        moment += timedelta(seconds=121)
        release_stale_claims(moment)
    artwork.refresh_from_db()
    assert (artwork.status, artwork.error_code) == ("failed", "worker_died")
    assert artwork.steps.get().outcome == "died"


def test_waiting_for_the_rate_limit_is_not_an_attempt() -> None:
    artwork = ArtworkFactory()
    claim = claim_artwork(artwork.pk, NOW)
    assert claim
    defer(claim, "the source rests", seconds=30, now=NOW)
    artwork.refresh_from_db()
    assert (artwork.status, artwork.attempts, artwork.next_attempt_at) == ("waiting", 0, after(30))
    assert str(Deferred("x", seconds=1)) == "x"


def test_delays_grow_and_have_jitter() -> None:
    delays = []
    for attempt in range(1, 5):
        artwork = ArtworkFactory(attempts=attempt - 1)
        claim = claim_artwork(artwork.pk, NOW)
        assert claim
        schedule_retry(claim, Unavailable("ill"), now=NOW)
        artwork.refresh_from_db()
        delays.append((artwork.next_attempt_at - NOW).total_seconds())
    for delay, middle in zip(delays, (5, 20, 80, 320), strict=True):
        assert 0.6 * middle <= delay <= 1.4 * middle


def test_a_due_request_is_queued_once_and_again_if_the_message_is_lost() -> None:
    due = ArtworkFactory(next_attempt_at=NOW)
    ArtworkFactory(next_attempt_at=after(60))
    ArtworkFactory(next_attempt_at=NOW, cohort=ArtworkCohortFactory(run__state="paused"))
    assert claim_due_for_dispatch(NOW) == [due.pk]
    assert claim_due_for_dispatch(after(10)) == []
    assert claim_due_for_dispatch(after(61))[0] == due.pk


def test_absent_artwork_is_requested_again_after_a_week() -> None:
    old = ArtworkFactory(status="absent", finished_at=DAY_ONE, error_code="source_absent")
    fresh = ArtworkFactory(status="absent", finished_at=NOW, error_code="source_absent")
    ArtworkFactory(status="absent", finished_at=DAY_ONE, error_code="marked_absent")
    under_way = ArtworkFactory(status="absent", finished_at=DAY_ONE, error_code="source_absent")
    ArtworkFactory(asset=under_way.asset, is_current=False)
    assert recheck_not_found(after(60)) == 1
    old.refresh_from_db()
    fresh.refresh_from_db()
    assert (old.status, fresh.status) == ("waiting", "absent")


def test_the_database_rejects_a_second_active_or_current_request() -> None:
    first = ArtworkFactory(claim=uuid.uuid4())
    with pytest.raises(Exception, match="albumart_one_"):
        ArtworkFactory(asset=first.asset)
