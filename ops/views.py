"""Service information, health and metrics, as JSON without the envelope."""

from django.conf import settings
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.permissions import IsAdminRole
from common.health_checks import run_health_check
from common.metrics import collect_metrics
from common.timestamps import format_timestamp
from ops.metrics import usage_metrics


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
    """Return `healthy` if assets can be registered, else `degraded`, always with 200.

    Public, and shown in full by the frontend: add no secret.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        has_database = run_health_check("database")
        # Without a cache the service is slower; without a database it cannot register assets.
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
                    "cache": {"connected": run_health_check("cache")},
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


class MetricsView(APIView):
    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        return Response(usage_metrics(timezone.now()))


class AlbumArtMetricsView(APIView):
    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        return Response(collect_metrics("album-art", timezone.now()))


class FieldMetricsView(APIView):
    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        return Response(collect_metrics("fields", timezone.now()))


class BugReportMetricsView(APIView):
    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        return Response(collect_metrics("bug-reports", timezone.now()))
