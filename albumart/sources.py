"""Find the source of a URL, and apply its circuit breaker."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from albumart.errors import Deferred
from albumart.models import ArtworkSource, CircuitChange
from outbound import host_matches

log = logging.getLogger(__name__)

_DEFAULT_PAUSE_SECONDS = 60.0  # for a source that rate-limits without a Retry-After
_PROBE_MARGIN_SECONDS = 5


def url_host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()[:253]
    except ValueError:
        return ""


def current_sources() -> list[ArtworkSource]:
    """Return the enabled sources. Hosts of ALBUMART_ALLOWED_HOSTS get a row at the first call."""
    rows = list(ArtworkSource.objects.all())
    known = {row.pattern for row in rows}
    for pattern in settings.ALBUMART_ALLOWED_HOSTS:
        if pattern.lower() not in known:
            row, _ = ArtworkSource.objects.get_or_create(pattern=pattern.lower())
            rows.append(row)
    return [row for row in rows if row.is_enabled]


def match_source(host: str, sources: Iterable[ArtworkSource]) -> ArtworkSource | None:
    """Return the source of `host`: an exact match, else the longest matching domain."""
    matching = [source for source in sources if host_matches(host, source.pattern)]
    return max(matching, key=lambda source: (not source.pattern.startswith("."), len(source.pattern)), default=None)


@transaction.atomic
def check_circuit(source_pk: int, now: datetime) -> None:
    """Allow one request to the source. Raises Deferred while its circuit is open or a half-open request is running."""
    source = ArtworkSource.objects.select_for_update().get(pk=source_pk)
    until = source.blocked_until(now)
    if until is not None:
        raise Deferred(_blocked_reason(source, until), seconds=(until - now).total_seconds())
    if source.circuit_state != ArtworkSource.CircuitState.CLOSED:
        before = source.circuit_state
        source.half_open(now, probe_seconds=settings.ALBUMART_FETCH_TIMEOUT_SECONDS + _PROBE_MARGIN_SECONDS)
        _record_change(source, before, "probe sent", now=now)


def _blocked_reason(source: ArtworkSource, until: datetime) -> str:
    if source.rate_limited_until == until:
        return f"{source.pattern} is rate limited until {until:%H:%M:%S} UTC"
    return f"{source.pattern} keeps failing, no requests until {until:%H:%M:%S} UTC: {source.last_error}"


@transaction.atomic
def record_success(source_pk: int, *, started_at: datetime, now: datetime) -> None:
    source = ArtworkSource.objects.select_for_update().get(pk=source_pk)
    if source.circuit_state == ArtworkSource.CircuitState.CLOSED and not source.consecutive_failures:
        return
    before = source.circuit_state
    threshold = settings.ALBUMART_CIRCUIT_SUCCESS_THRESHOLD
    source.record_success(started_at=started_at, now=now, success_threshold=threshold)
    _record_change(source, before, "responses received", now=now)


@transaction.atomic
def record_failure(source_pk: int, error: str, *, now: datetime) -> None:
    _lock_and_record_failure(source_pk, error, now=now)


@transaction.atomic
def record_rate_limited(source_pk: int, *, retry_after_seconds: float | None, error: str, now: datetime) -> datetime:
    """Pause all requests to the source for the time it requires, within bounds. Return the end of the pause."""
    source = _lock_and_record_failure(source_pk, error, now=now)
    seconds = _DEFAULT_PAUSE_SECONDS if retry_after_seconds is None else retry_after_seconds
    source.pause(now + timedelta(seconds=min(max(seconds, 1.0), settings.ALBUMART_MAX_PAUSE_SECONDS)))
    return source.rate_limited_until


def _lock_and_record_failure(source_pk: int, error: str, *, now: datetime) -> ArtworkSource:
    source = ArtworkSource.objects.select_for_update().get(pk=source_pk)
    before = source.circuit_state
    source.record_failure(
        error,
        now=now,
        failure_threshold=settings.ALBUMART_CIRCUIT_FAILURE_THRESHOLD,
        cooldown_seconds=settings.ALBUMART_CIRCUIT_COOLDOWN_SECONDS,
    )
    _record_change(source, before, error, now=now)
    return source


@transaction.atomic
def reset_circuit(source_pk: int, *, by: str, now: datetime) -> None:
    source = ArtworkSource.objects.select_for_update().get(pk=source_pk)
    before = source.circuit_state
    source.reset()
    CircuitChange.objects.create(
        source=source, before=before, after=source.circuit_state, reason="reset by staff", changed_by=by, changed_at=now
    )
    log.info("circuit breaker reset", extra={"source": source.pattern})


def _record_change(source: ArtworkSource, before: str, reason: str, *, now: datetime) -> None:
    after = source.circuit_state
    if after == before:
        return
    CircuitChange.objects.create(source=source, before=before, after=after, reason=reason[:300], changed_at=now)
    log.warning("circuit breaker changed", extra={"source": source.pattern, "before": before, "after": after})
