"""Metrics of the pipeline and of cohorts, computed from the rows of requests."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q
from django.utils import timezone

from albumart.models import Artwork, ArtworkCohort, ArtworkSource
from flags.evaluation import global_flags
from flags.registry import ALBUM_ART_PIPELINE
from jobs import states

GOAL = 0.9  # share of finished requests that are stored
_MAX_CAUSES = 20
_MAX_COHORTS = 10
_QUANTILES = """
    SELECT name, count(duration_ms), percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms),
           percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms),
           coalesce(sum(size_bytes) FILTER (WHERE duration_ms IS NOT NULL), 0), count(DISTINCT (artwork_id, attempt))
    FROM albumart_artworkstep WHERE started_at >= %s GROUP BY GROUPING SETS ((name), ()) ORDER BY name NULLS LAST
"""
# For each cohort: its songs, those with a current request of any run, those whose current request is stored, the counts
# of its own requests by status, and their bytes.
_COHORTS = """
    WITH song AS (
        SELECT song.cohort_id, count(*) AS songs, count(artwork.id) AS asked,
               count(*) FILTER (WHERE artwork.status = 'stored') AS stored
        FROM albumart_artworkcohortsong AS song
        LEFT JOIN albumart_artwork AS artwork ON artwork.asset_id = song.asset_pk AND artwork.is_current
        WHERE song.cohort_id = ANY(%(pks)s) GROUP BY song.cohort_id
    ), request AS (
        SELECT cohort_id, json_object_agg(status, requests)::text AS by_status, sum(bytes)::bigint AS bytes FROM (
            SELECT cohort_id, status, count(*) AS requests, coalesce(sum(size_bytes), 0) AS bytes
            FROM albumart_artwork WHERE cohort_id = ANY(%(pks)s) GROUP BY cohort_id, status
        ) AS by_status GROUP BY cohort_id
    )
    SELECT pk, coalesce(songs, 0), coalesce(asked, 0), coalesce(stored, 0), coalesce(by_status, '{}'),
           coalesce(bytes, 0)
    FROM unnest(%(pks)s) AS pk LEFT JOIN song ON song.cohort_id = pk LEFT JOIN request ON request.cohort_id = pk
"""


def pipeline_metrics(now: datetime, *, window: timedelta = timedelta(days=7)) -> dict[str, Any]:
    """Return {window_days, success: {...}, causes: [...], steps: [...], queue: {...}, sources: [...], cohorts: [...]}.

    Queue, sources and cohorts are the current state; the other metrics cover requests that finished within the window.
    Superseded and cancelled requests are left out of `success`, because nobody waited for their outcome.
    """
    since = now - window
    ended = Artwork.objects.ended().filter(finished_at__gte=since).exclude(error_code__in=["superseded", "cancelled"])
    counts = dict(ended.order_by().values_list("status").annotate(Count("pk")))
    steps, attempts = _steps(since)
    total, stored = sum(counts.values()), counts.get("stored", 0)
    causes = (
        ended.exclude(status="stored").order_by().values("status", "error_code", "source_host")
        .annotate(count=Count("pk")).order_by("-count", "error_code")[:_MAX_CAUSES]
    )  # fmt: skip
    return {
        "window_days": window.days,
        "success": {
            "stored": stored, "ended": total, "rate": round(stored / total, 4) if total else None, "goal": GOAL,
            "by_status": counts,
        },
        "causes": [dict(cause) for cause in causes],
        "attempts": attempts,
        "steps": steps,
        "queue": _queue(now),
        "sources": [
            {"host": source.pattern, "breaker": source.circuit_state, "failures": source.consecutive_failures}
            for source in ArtworkSource.objects.all()
        ],
        "cohorts": cohorts_metrics(recent_cohorts()),
    }  # fmt: skip


def recent_cohorts() -> list[ArtworkCohort]:
    return list(ArtworkCohort.objects.select_related("run")[:_MAX_COHORTS])


def _steps(since: datetime) -> tuple[list[dict[str, Any]], int]:
    """Return the durations of each step, and the number of attempts that all steps belong to."""
    with connection.cursor() as cursor:
        cursor.execute(_QUANTILES, [since])
        *by_name, overall = cursor.fetchall()
    steps = [
        {"name": name, "count": count, "median_ms": round(median), "p95_ms": round(p95), "bytes": size_bytes}
        for name, count, median, p95, size_bytes, _ in by_name
        if count
    ]
    return steps, overall[-1]


def _queue(now: datetime) -> dict[str, Any]:
    queue = Artwork.objects.open().aggregate(
        waiting=Count("pk", filter=Q(status="waiting")),
        running=Count("pk", filter=Q(status="running")),
        oldest=Min("requested_at"),
    )
    return {
        "waiting": queue["waiting"],
        "running": queue["running"],
        "oldest_seconds": round((now - queue["oldest"]).total_seconds()) if queue["oldest"] else 0,
    }


def cohort_metrics(cohort: ArtworkCohort) -> dict[str, Any]:
    return cohorts_metrics([cohort])[0]


def cohorts_metrics(cohorts: Sequence[ArtworkCohort]) -> list[dict[str, Any]]:
    """Return the progress of each run's requests, and how many songs of its cohort have artwork from any request.

    One statement, whatever the number of cohorts.
    """
    if not cohorts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_COHORTS, {"pks": [cohort.pk for cohort in cohorts]})
        counted = {pk: counts for pk, *counts in cursor.fetchall()}
    return [_cohort_document(cohort, *counted[cohort.pk]) for cohort in cohorts]


def _cohort_document(
    cohort: ArtworkCohort, songs: int, asked_songs: int, stored_songs: int, by_status: str, size_bytes: int
) -> dict[str, Any]:
    counts: dict[str, int] = orjson.loads(by_status)
    asked = sum(counts.values())
    return {
        "name": cohort.name,
        "songs": songs,
        "with_picture": stored_songs,
        "never_asked": songs - asked_songs,
        "asked": asked,
        "done": asked - counts.get("waiting", 0) - counts.get("running", 0),
        "stored": counts.get("stored", 0),
        "by_status": counts,
        "bytes": size_bytes,
        "is_paused": cohort.run.state in (states.PAUSING, states.PAUSED),
    }


def pending_reason(cohort: ArtworkCohort) -> str:
    """Return why the run is not over, as shown on its page; "" if it has no open request."""
    open_count = cohort.artworks.open().count()
    if not open_count:
        return ""
    reason = _wait_reason(cohort, timezone.now())
    text = f"{open_count} request{'' if open_count == 1 else 's'} open"
    return f"{text}: {reason}" if reason else text


def run_wait_reason(cohort: ArtworkCohort, now: datetime) -> str:
    """Return why no request of the run makes progress; "" while one does, or when all are finished."""
    if cohort.run.state in (states.PAUSING, states.PAUSED):
        return "Paused"
    return _wait_reason(cohort, now)


def _wait_reason(cohort: ArtworkCohort, now: datetime) -> str:
    requests = cohort.artworks.open()
    if not requests.exists() or requests.filter(status="running").exists():
        return ""
    if not global_flags().is_on(ALBUM_ART_PIPELINE):
        return "The flag album_art_pipeline is off"
    due = requests.filter(next_attempt_at__lte=now)
    lost = due.filter(dispatched_at__lt=now - timedelta(seconds=2 * settings.ALBUMART_RESEND_SECONDS)).exists()
    if lost or due.filter(next_attempt_at__lt=now - timedelta(seconds=60)).exists():
        return "No worker processes requests. Check that Celery workers are running."
    first = requests.order_by("next_attempt_at").first()
    return first.wait_reason if first and first.wait_reason else "The rate limit of the source delays the next request"
