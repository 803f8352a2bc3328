"""Choose a source for each request, and spread the requests of a run at the rate limits of their sources."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from albumart.models import ArtworkSource
from albumart.sources import match_source, url_host


class ScheduledRequest(NamedTuple):
    """`source` is None if no source matches the URL; such a request starts at once and is rejected."""

    url: str
    source: ArtworkSource | None
    delay_seconds: float


class RequestSchedule:
    """Delays of requests in the order in which they are added. `queued_hosts` are the hosts of earlier requests."""

    def __init__(self, sources: Sequence[ArtworkSource], queued_hosts: Iterable[str] = ()) -> None:
        self._sources = sources
        self.requests_by_source: Counter[str] = Counter()
        for host in queued_hosts:
            if source := match_source(host, sources):
                self.requests_by_source[source.pattern] += 1

    def add(self, urls: Sequence[str]) -> ScheduledRequest:
        """Schedule a request for the first URL with a source, else for the first URL."""
        for url in urls:
            if source := match_source(url_host(url), self._sources):
                delay_seconds = self.requests_by_source[source.pattern] * 60 / source.requests_per_minute
                self.requests_by_source[source.pattern] += 1
                return ScheduledRequest(url, source, delay_seconds)
        return ScheduledRequest(urls[0], None, 0.0)

    @property
    def duration(self) -> timedelta:
        """The time that the rate limits require. Sources are requested in parallel."""
        limits = {source.pattern: source.requests_per_minute for source in self._sources}
        minutes = [count / limits[pattern] for pattern, count in self.requests_by_source.items()]
        return timedelta(minutes=max(minutes, default=0))
