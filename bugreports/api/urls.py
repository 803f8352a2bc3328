from django.urls import path

from bugreports.api.views import (
    ReportDetailView,
    ReportEventsView,
    ReportListView,
    ReportPurgeView,
    ReportScreenshotView,
)

urlpatterns = [
    path("bug-reports", ReportListView.as_view()),
    path("bug-reports/purge", ReportPurgeView.as_view()),
    path("bug-reports/<str:report_id>", ReportDetailView.as_view()),
    path("bug-reports/<str:report_id>/events", ReportEventsView.as_view()),
    path("bug-reports/<str:report_id>/screenshot", ReportScreenshotView.as_view()),
]
