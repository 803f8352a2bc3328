"""Preview of a run that requests missing artwork."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from albumart.backfill_rules import HOST_NOT_ALLOWED, LEGACY_SONGS, NO_URL, SONGS
from albumart.request_schedule import RequestSchedule
from albumart.source_urls import candidate_urls
from albumart.sources import current_sources, url_host
from assets.models import Asset
from backfills.rules import Skip


@dataclass(frozen=True)
class PlannedRequest:
    asset_pk: int
    name: str
    source_url: str
    starts_after_seconds: float


@dataclass(frozen=True)
class FetchPlan:
    """The requests that a run would make. `parameters` are those of the rule.

    `is_complete` is False if the plan stopped at `max_songs`: the run itself has no such limit.
    """

    parameters: dict[str, Any]
    songs_found: int
    requests: Sequence[PlannedRequest]
    without_url: Sequence[str]
    host_not_allowed: Sequence[tuple[str, str]]
    requests_by_source: Counter[str] = field(default_factory=Counter)
    duration: timedelta = timedelta()
    is_complete: bool = True


def plan_missing_artwork(*, layer: str = SONGS, limit: int | None = None, max_songs: int | None = None) -> FetchPlan:
    """Plan at most `limit` requests for live assets of the layer without a request, oldest first."""
    rule, sources = LEGACY_SONGS, current_sources()
    parameters = {"layer": layer, "sources": " ".join(source.pattern for source in sources)}
    schedule = RequestSchedule(sources)
    requests: list[PlannedRequest] = []
    without_url: list[str] = []
    host_not_allowed: list[tuple[str, str]] = []
    found, last_pk, is_complete = 0, 0, True
    rows = rule.filter_queryset(Asset.objects.all(), parameters).order_by("pk").values(*rule.columns_read)
    for row in rows.iterator(chunk_size=1000):
        if limit is not None and len(requests) >= limit:
            parameters["last_pk"] = str(last_pk)
            break
        if found == max_songs:
            is_complete = False
            break
        found, last_pk = found + 1, row["pk"]
        values = rule.compute_values(row, parameters)
        if not isinstance(values, Skip):
            request = schedule.add(values["artwork"])
            requests.append(PlannedRequest(row["pk"], row["name"], request.url, request.delay_seconds))
        elif values.reason == NO_URL:
            without_url.append(row["name"])
        elif values.reason == HOST_NOT_ALLOWED:
            host_not_allowed.append((row["name"], _first_host(row)))
    return FetchPlan(
        parameters,
        found,
        requests,
        without_url,
        host_not_allowed,
        schedule.requests_by_source,
        schedule.duration,
        is_complete,
    )


def _first_host(row: dict[str, Any]) -> str:
    return url_host(candidate_urls(row["album_art"], [row["ai_metadata"], row["training_data"], row["rights"]])[0])
