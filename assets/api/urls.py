from django.urls import path

from assets.api import views

urlpatterns = [
    path("assets", views.AssetListView.as_view()),
    path("assets/search", views.AssetSearchView.as_view()),
    path("assets/count", views.AssetCountView.as_view()),
    path("assets/batch", views.AssetBatchView.as_view()),
    path("assets/curate/<str:key>", views.CurateView.as_view()),
    path("assets/address/<str:key>", views.AssetDetailView.as_view(http_method_names=["get", "head", "options"])),
    path("assets/nna/<str:key>", views.AssetDetailView.as_view(http_method_names=["get", "head", "options"])),
    path("assets/<str:key>/metadata", views.AssetMetadataView.as_view()),
    path("assets/<str:key>", views.AssetDetailView.as_view()),
    path("taxonomy/next-sequence", views.NextSequenceView.as_view()),
]
