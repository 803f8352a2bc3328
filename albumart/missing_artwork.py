"""Missing artwork: which they are, where an address for them is known, how long asking will take."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Exists, OuterRef

from albumart.models import Artwork, ArtworkSource
from albumart.source_urls import candidate_urls
from albumart.sources import current_sources, match_source, url_host
from assets.models import Asset


@dataclass(frozen=True)
class PlannedRequest:
    asset_pk: int
    name: str
    source_url: str
    starts_after_seconds: float


@dataclass(frozen=True)
class FetchPlan:
    """What would be asked for. `duration` is what the sources' paces imply; sources are asked side by side."""

    asset_pks: Sequence[int]
    requests: Sequence[PlannedRequest]
    without_url: Sequence[str]
    host_not_allowed: Sequence[tuple[str, str]]
    requests_by_source: Counter[str] = field(default_factory=Counter)
    duration: timedelta = timedelta()

    @property
    def songs_found(self) -> int:
        return len(self.asset_pks)


def plan_missing_artwork(*, layer: str = "G", limit: int | None = None) -> FetchPlan:
    """Live assets of the layer nobody has asked a picture for, oldest first, `limit` requests at most."""
    asked = Artwork.objects.filter(asset=OuterRef("pk"))
    songs = Asset.objects.live().filter(~Exists(asked.current()), ~Exists(asked.open()), layer=layer)
    sources = current_sources()
    requests: list[PlannedRequest] = []
    without_url: list[str] = []
    host_not_allowed: list[tuple[str, str]] = []
    by_source: Counter[str] = Counter()
    found: list[int] = []
    rows = songs.order_by("created_at", "pk").values_list(
        "pk", "name", "album_art", "ai_metadata", "training_data", "rights"
    )
    for pk, name, album_art, *documents in rows.iterator(chunk_size=1000):
        if limit is not None and len(requests) >= limit:
            break
        found.append(pk)
        addresses = candidate_urls(album_art, documents)
        chosen = next(((url, s) for url in addresses if (s := match_source(url_host(url), sources))), None)
        if chosen is None:
            if addresses:
                host_not_allowed.append((name, url_host(addresses[0])))
            else:
                without_url.append(name)
            continue
        url, source = chosen
        requests.append(PlannedRequest(pk, name, url, by_source[source.pattern] * 60 / source.requests_per_minute))
        by_source[source.pattern] += 1
    return FetchPlan(found, requests, without_url, host_not_allowed, by_source, _duration(by_source, sources))


def _duration(by_source: Counter[str], sources: Sequence[ArtworkSource]) -> timedelta:
    paces = {source.pattern: source.requests_per_minute for source in sources}
    minutes = [count / paces[pattern] for pattern, count in by_source.items()]
    return timedelta(minutes=max(minutes, default=0))
