"""URLs below /api/backfills."""

from django.urls import path

from backfills.api.views import RunEventsView, RunListView, RunView

urlpatterns = [
    path("backfills", RunListView.as_view()),
    path("backfills/<int:pk>", RunView.as_view()),
    path("backfills/<int:pk>/events", RunEventsView.as_view()),
]
