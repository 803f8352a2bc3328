"""URLs of the three baselines."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from benchmarks import baseline_sql, baseline_tuned
from benchmarks.baseline_drf import PlainBatch, PlainDetail, PlainList


def is_ready(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path("api/health", is_ready),
    path("raw/assets", baseline_sql.list_assets),
    path("raw/assets/batch", baseline_sql.get_batch),
    path("raw/assets/<str:name>", baseline_sql.get_asset),
    path("drf/assets", PlainList.as_view()),
    path("drf/assets/batch", PlainBatch.as_view()),
    path("drf/assets/<str:name>", PlainDetail.as_view()),
    path("tuned/assets", baseline_tuned.list_assets),
    path("tuned/assets/batch", baseline_tuned.get_batch),
    path("tuned/assets/<str:name>", baseline_tuned.get_asset),
]
