"""The allow-list of sources: which entry covers a host, may it be asked now, what became of asking."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from albumart.backoff import bounded_pause_seconds
from albumart.errors import Deferred
from albumart.models import ArtworkSource, CircuitChange
from outbound import host_matches

log = logging.getLogger(__name__)

_MIN_403_PAUSE_SECONDS = 60.0  # who was told off without a time comes back in a minute


def url_host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()[:253]
    except ValueError:
        return ""


def current_sources() -> list[ArtworkSource]:
    """Enabled entries; those the environment names get a row of their own the first time they are seen."""
    rows = list(ArtworkSource.objects.all())
    known = {row.pattern for row in rows}
    for pattern in settings.ALBUMART_ALLOWED_HOSTS:
        if pattern.lower() not in known:
            row, _ = ArtworkSource.objects.get_or_create(pattern=pattern.lower())
            rows.append(row)
    return [row for row in rows if row.is_enabled]


def match_source(host: str, sources: Iterable[ArtworkSource]) -> ArtworkSource | None:
    """The entry that covers `host`: its own, or the one with the longest suffix."""
    matching = [source for source in sources if host_matches(host, source.pattern)]
    return max(matching, key=lambda source: (not source.pattern.startswith("."), len(source.pattern)), default=None)


@transaction.atomic
def check_circuit(source_pk: int, now: datetime) -> None:
    """Let one request through to the source. Raises Deferred while it rests or is being tried by another."""
    source = ArtworkSource.objects.select_for_update().get(pk=source_pk)
    until = source.blocked_until(now)
    if until is not None:
        raise Deferred(_why_resting(source, until), seconds=(until - now).total_seconds())
    if source.breaker != ArtworkSource.Breaker.CLOSED:
        before = source.breaker
        source.half_open(now, probe_seconds=settings.ALBUMART_FETCH_TIMEOUT_SECONDS + 5)
        _record(source, before, "tried again", now=now)


def _why_resting(source: ArtworkSource, until: datetime) -> str:
    if source.rate_limited_until == until:
        return f"{source.pattern} rate limited until {until:%H:%M:%S} UTC"
    return f"{source.pattern} keeps failing and rests until {until:%H:%M:%S} UTC: {source.last_error}"


@transaction.atomic
def record_success(source_pk: int, *, started_at: datetime, now: datetime) -> None:
    source = ArtworkSource.objects.select_for_update().get(pk=source_pk)
    if source.breaker == ArtworkSource.Breaker.CLOSED and not source.failures:
        return
    before = source.breaker
    source.note_answer(started_at=started_at, now=now, answers_to_close=settings.ALBUMART_CIRCUIT_SUCCESS_THRESHOLD)
    _record(source, before, "answered again", now=now)


@transaction.atomic
def record_failure(source_pk: int, error: str, *, now: datetime) -> None:
    source = ArtworkSource.objects.select_for_update().get(pk=source_pk)
    before = source.breaker
    source.note_failure(
        error,
        now=now,
        failures_to_open=settings.ALBUMART_CIRCUIT_FAILURE_THRESHOLD,
        rest_seconds=settings.ALBUMART_CIRCUIT_COOLDOWN_SECONDS,
    )
    _record(source, before, error, now=now)


@transaction.atomic
def record_rate_limited(source_pk: int, *, retry_after_seconds: float | None, error: str, now: datetime) -> datetime:
    """The source said "too fast": all workers leave it alone for as long as it asked, within bounds."""
    source = ArtworkSource.objects.select_for_update().get(pk=source_pk)
    seconds = bounded_pause_seconds(
        retry_after_seconds, default=_MIN_403_PAUSE_SECONDS, most=settings.ALBUMART_MAX_PAUSE_SECONDS
    )
    before = source.breaker
    source.note_failure(
        error,
        now=now,
        failures_to_open=settings.ALBUMART_CIRCUIT_FAILURE_THRESHOLD,
        rest_seconds=settings.ALBUMART_CIRCUIT_COOLDOWN_SECONDS,
    )
    source.pause(now + timedelta(seconds=seconds))
    _record(source, before, error, now=now)
    return source.rate_limited_until


@transaction.atomic
def reset_circuit(source_pk: int, *, by: str, now: datetime) -> None:
    source = ArtworkSource.objects.select_for_update().get(pk=source_pk)
    before = source.breaker
    source.reset()
    CircuitChange.objects.create(
        source=source, before=before, after=source.breaker, reason="reset by hand", changed_by=by, changed_at=now
    )
    log.info("breaker reset", extra={"source": source.pattern})


def _record(source: ArtworkSource, before: str, reason: str, *, now: datetime) -> None:
    if source.breaker == before:
        return
    CircuitChange.objects.create(
        source=source, before=before, after=source.breaker, reason=reason[:300], changed_at=now
    )
    log.warning("breaker moved", extra={"source": source.pattern, "before": before, "after": source.breaker})
