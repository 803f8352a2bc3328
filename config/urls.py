"""Where each door is."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]

handler400 = "api.errors.request_malformed"
handler403 = "api.errors.request_forbidden"
handler404 = "api.errors.route_missing"
handler500 = "api.errors.server_failed"
