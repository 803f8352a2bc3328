"""URLs of the service and of the baselines."""

from django.urls import include, path

from benchmarks.baseline_drf import PlainDetail, PlainList
from benchmarks.baseline_sql import raw_detail, raw_list, raw_search

urlpatterns = [
    path("raw/list", raw_list),
    path("raw/search", raw_search),
    path("raw/detail/<str:name>", raw_detail),
    path("drf/list", PlainList.as_view()),
    path("drf/detail/<str:name>", PlainDetail.as_view()),
    path("", include("config.urls")),
]
