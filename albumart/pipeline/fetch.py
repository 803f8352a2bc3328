"""Fetch an image from its source, within the rate limit and the circuit breaker of the source."""

from django.conf import settings

from albumart.claims import Clock
from albumart.models import Artwork, ArtworkSource
from albumart.rate_limits import acquire_slot
from albumart.source_urls import with_max_size
from albumart.sources import (
    check_circuit,
    current_sources,
    match_source,
    record_failure,
    record_rate_limited,
    record_success,
    url_host,
)
from albumart.steps import StepRecorder
from outbound import (
    FetchPolicy,
    FetchResult,
    RemoteNotFound,
    RemoteRateLimited,
    RemoteUnavailable,
    ResponseRejected,
    UrlNotAllowed,
    check_url,
    fetch,
)


def fetch_image(artwork: Artwork, recorder: StepRecorder, clock: Clock) -> FetchResult:
    """Return the response of the source.

    Raises UrlNotAllowed, ResponseRejected, RemoteNotFound, RemoteRateLimited, RemoteUnavailable; Deferred while the
    source is blocked or its rate limit is used up.
    """
    url = with_max_size(artwork.source_url, settings.ALBUMART_ITUNES_SIDE_PX)
    recorder.host = url_host(url)
    check_url(url)
    sources = current_sources()
    source = match_source(recorder.host, sources)
    if source is None:
        raise UrlNotAllowed(f"{recorder.host} is not on the list of sources", "host_not_allowed", host=recorder.host)
    Artwork.objects.filter(pk=artwork.pk).update(source=source, source_host=recorder.host, source_name=source.label)
    check_circuit(source.pk, clock())
    acquire_slot(source, clock().timestamp())
    started_at = clock()
    try:
        fetched = fetch(url, _policy(source, sources))
    except (RemoteNotFound, ResponseRejected):
        record_success(source.pk, started_at=started_at, now=clock())
        raise
    except RemoteRateLimited as error:
        record_rate_limited(source.pk, retry_after_seconds=error.retry_after_seconds, error=error.message, now=clock())
        raise
    except RemoteUnavailable as error:
        record_failure(source.pk, error.message, now=clock())
        raise
    record_success(source.pk, started_at=started_at, now=clock())
    recorder.size_bytes = len(fetched.content)
    recorder.details = {"declared_type": fetched.content_type[:100], "redirects": len(fetched.redirects)}
    return fetched


def _policy(source: ArtworkSource, sources: list[ArtworkSource]) -> FetchPolicy:
    return FetchPolicy(
        is_allowed_host=lambda host: match_source(host, sources) is not None,
        max_bytes=settings.ALBUMART_MAX_BYTES,
        max_redirects=source.max_redirects,
        connect_seconds=settings.ALBUMART_CONNECT_TIMEOUT_SECONDS,
        first_byte_seconds=settings.ALBUMART_FIRST_BYTE_TIMEOUT_SECONDS,
        total_seconds=settings.ALBUMART_FETCH_TIMEOUT_SECONDS,
        throttling_statuses=frozenset({403, 429}) if source.treat_403_as_rate_limit else frozenset({429}),
    )
