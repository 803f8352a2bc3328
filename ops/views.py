"""`/api` itself and its health: bare JSON, open to anyone, asked for every thirty seconds by every open page."""

import logging

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.utils import timezone
from redis.exceptions import RedisError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from albumart.metrics import pipeline_metrics
from api.pagination import parse_page_params
from api.permissions import IsAdminRole
from bugreports.metrics import report_metrics
from common.timestamps import format_timestamp
from ops.metrics import field_metrics, recent_activity, usage_metrics

log = logging.getLogger(__name__)


class ServiceView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response(
            {
                "name": "NNA Registry Service API",
                "version": settings.RELEASE,
                "docs": "/api/docs",
                "status": "running",
            }
        )


class HealthView(APIView):
    """`healthy` only while assets can be registered; always 200 while anything can be served. Holds no secret:
    the frontend shows the whole object."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        has_database = _database_answers()
        # A lost cache slows us down; a lost database is what clients must know of.
        status = "healthy" if has_database else "degraded"
        return Response(
            {
                "status": status,
                "timestamp": format_timestamp(timezone.now()),
                "version": settings.RELEASE,
                "environment": settings.ENVIRONMENT_NAME,
                "detection": {"method": "hostname", "hostname": request.get_host()},
                "config": {
                    "database": {
                        "connected": has_database,
                        "name": f"nna-registry-{settings.ENVIRONMENT_NAME}",
                    },
                    "cache": {"connected": _cache_answers()},
                    "storage": {
                        "provider": "gcp" if settings.MEDIA_STORAGE == "gcs" else "local",
                        "bucket": settings.GCS_BUCKET or None,
                    },
                    "cors": {"allowedOrigins": settings.CORS_ALLOWED_ORIGINS},
                    "logging": {"level": settings.LOG_LEVEL.lower()},
                },
            },
            headers={"Cache-Control": "no-store"},
        )


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        log.exception("health: the database does not answer")
        return False
    return True


def _cache_answers() -> bool:
    try:
        cache.get("health")
    except (RedisError, OSError):
        log.warning("health: the cache does not answer")
        return False
    return True


class MetricsView(APIView):
    """Bare, as the design papers have it."""

    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        return Response(usage_metrics(timezone.now()))


class AlbumArtMetricsView(APIView):
    """How the picture pipeline goes: attempts, outcomes by cause and host, durations, the queue, success, cohorts."""

    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        return Response(pipeline_metrics(timezone.now()))


class FieldMetricsView(APIView):
    """How far the new fields are filled, and by whom: what a backfill wrote is counted apart."""

    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        return Response(field_metrics())


class BugReportMetricsView(APIView):
    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        return Response(report_metrics(timezone.now()))


class ActivityView(APIView):
    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        wish = parse_page_params(request.query_params)
        events, total = recent_activity(wish)
        return Response(
            {
                "activity": events,
                "pagination": {
                    "page": wish.page,
                    "limit": wish.limit,
                    "total": total,
                    "totalPages": wish.total_pages(total),
                },
            }
        )
