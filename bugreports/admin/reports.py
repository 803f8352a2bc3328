"""The list of reports and the page of one."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from bugreports.models import BugReport
from bugreports.trail import Actor
from bugreports.triage import start
from common.errors import RegistryError
from common.staff_admin import ReadOnlyAdmin


@admin.register(BugReport)
class BugReportAdmin(ReadOnlyAdmin):
    list_display = ("report_id", "status", "priority")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/do/<str:verb>/", view(self.verb_view), name="bugreports_bugreport_do"),
            *super().get_urls(),
        ]

    def verb_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("bugreports.triage_bugreport"):
            raise PermissionDenied
        try:
            report = BugReport.objects.get(pk=pk)
            start([report.report_id], by=Actor(request.user.email), now=timezone.now())
        except RegistryError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(reverse("admin:bugreports_bugreport_change", args=[pk]))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        report = self.get_object(request, object_id)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "report": report}
        return TemplateResponse(request, "admin/bugreports/report.html", context)
