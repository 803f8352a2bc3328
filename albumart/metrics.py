"""Figures about the pipeline, from the rows it leaves: outcomes, durations, the queue, and cohorts."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Q, Sum

from albumart.models import Artwork, ArtworkRun, ArtworkSource, ArtworkStep
from flags.evaluation import global_flags
from flags.registry import ALBUM_ART_PIPELINE

GOAL = 0.9  # share of ended requests that are stored
_QUANTILES = """
    SELECT name, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms),
           percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms), coalesce(sum(size_bytes), 0)
    FROM albumart_artworkstep WHERE started_at >= %s AND duration_ms IS NOT NULL GROUP BY name ORDER BY name
"""


def pipeline_metrics(now: datetime, *, window: timedelta = timedelta(days=7)) -> dict[str, Any]:
    """{window_days, success: {...}, causes: [...], steps: [...], queue: {...}, sources: [...], cohorts: [...]}.

    Everything but queue, sources and cohorts is about requests that ended within the window; ones that gave way to a
    newer request say nothing about success and are left out.
    """
    since = now - window
    ended = Artwork.objects.ended().filter(finished_at__gte=since).exclude(error_code__in=["superseded", "cancelled"])
    counts = dict(ended.order_by().values_list("status").annotate(Count("pk")))
    total, stored = sum(counts.values()), counts.get("stored", 0)
    causes = (
        ended.exclude(status="stored").order_by().values("status", "error_code", "source_host")
        .annotate(count=Count("pk")).order_by("-count", "error_code")[:20]
    )  # fmt: skip
    return {
        "window_days": window.days,
        "success": {
            "stored": stored, "ended": total, "rate": round(stored / total, 4) if total else None, "goal": GOAL,
            "by_status": counts,
        },
        "causes": [dict(cause) for cause in causes],
        "attempts": ArtworkStep.objects.filter(started_at__gte=since).values("artwork", "attempt").distinct().count(),
        "steps": _steps(since),
        "queue": _queue(now),
        "sources": [
            {"host": source.pattern, "breaker": source.breaker, "failures": source.failures}
            for source in ArtworkSource.objects.all()
        ],
        "cohorts": [cohort_metrics(run) for run in ArtworkRun.objects.all()[:10]],
    }  # fmt: skip


def _steps(since: datetime) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_QUANTILES, [since])
        return [
            {"name": name, "count": count, "median_ms": round(median), "p95_ms": round(p95), "bytes": size_bytes}
            for name, count, median, p95, size_bytes in cursor.fetchall()
        ]


def _queue(now: datetime) -> dict[str, Any]:
    queue = Artwork.objects.open().aggregate(
        waiting=Count("pk", filter=Q(status="waiting")),
        running=Count("pk", filter=Q(status="running")),
        oldest=Min("requested_at"),
        last_due=Max("next_attempt_at"),
    )
    return {
        "waiting": queue["waiting"],
        "running": queue["running"],
        "oldest_seconds": round((now - queue["oldest"]).total_seconds()) if queue["oldest"] else 0,
    }


def cohort_metrics(run: ArtworkRun) -> dict[str, Any]:
    """How far one run is, and how many songs of its cohort have a picture by now, wherever it came from."""
    shown = Artwork.objects.current().filter(asset__in=run.asset_pks)
    counts = dict(run.artworks.order_by().values_list("status").annotate(Count("pk")))
    asked = sum(counts.values())
    done = asked - counts.get("waiting", 0) - counts.get("running", 0)
    return {
        "name": run.name,
        "songs": len(run.asset_pks),
        "with_picture": shown.filter(status="stored").count(),
        "never_asked": len(run.asset_pks) - shown.count(),
        "asked": asked,
        "done": done,
        "stored": counts.get("stored", 0),
        "by_status": counts,
        "bytes": run.artworks.aggregate(total=Sum("size_bytes"))["total"] or 0,
        "is_paused": run.paused_at is not None,
    }


def run_wait_reason(run: ArtworkRun, now: datetime) -> str:
    """Why nothing of the run moves just now; "" while something does, or all is done."""
    if run.paused_at:
        return "Paused"
    open_ones = run.artworks.open()
    if not open_ones.exists() or open_ones.filter(status="running").exists():
        return ""
    if not global_flags().is_on(ALBUM_ART_PIPELINE):
        return "The flag album_art_pipeline is off"
    due = open_ones.filter(next_attempt_at__lte=now)
    stuck = due.filter(dispatched_at__lt=now - timedelta(seconds=2 * settings.ALBUMART_RESEND_SECONDS)).exists()
    if stuck or due.filter(next_attempt_at__lt=now - timedelta(seconds=60)).exists():
        return "No worker takes requests: is one running?"
    first = open_ones.order_by("next_attempt_at").first()
    return first.wait_reason if first and first.wait_reason else "The next one is due at its source's pace"
