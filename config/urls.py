"""URLs of the project."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from api.exception_handler import page_not_found
from assets.api.activity import ActivityView
from assets.api.media import serve_media
from ops.views import (
    AlbumArtMetricsView,
    BugReportMetricsView,
    FieldMetricsView,
    HealthView,
    MetricsView,
    ServiceView,
)

urlpatterns = [
    path("api/", include("assets.api.urls")),  # first, because most requests match it
    path("", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("api", ServiceView.as_view()),
    path("api/health", HealthView.as_view()),
    path("api/admin/metrics", MetricsView.as_view()),
    path("api/admin/metrics/album-art", AlbumArtMetricsView.as_view()),
    path("api/admin/metrics/fields", FieldMetricsView.as_view()),
    path("api/admin/metrics/bug-reports", BugReportMetricsView.as_view()),
    path("api/admin/activity", ActivityView.as_view()),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="api-schema")),
    path("api/docs-json", SpectacularJSONAPIView.as_view(), name="api-schema"),
    path("api/auth/", include("accounts.api.urls")),
    path("api/taxonomy/", include("taxonomy.api.urls")),
    path("api/", include("backfills.api.urls")),
    path("api/", include("bugreports.api.urls")),
]
if settings.MEDIA_STORAGE == "files":
    urlpatterns.append(path("media/<path:key>", serve_media))

# Also with DEBUG, whose 404 page is HTML: every response below /api is JSON.
urlpatterns.append(re_path(r"^api/", page_not_found))

handler400 = "api.exception_handler.bad_request"
handler403 = "api.exception_handler.permission_denied"
handler404 = "api.exception_handler.page_not_found"
handler500 = "api.exception_handler.server_error"
