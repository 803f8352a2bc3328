"""Missing artwork: the plan, the start, a page that shows how it goes, pause and cancel."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action as admin_action
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from albumart.metrics import cohort_metrics, run_wait_reason
from albumart.missing_artwork import FetchPlan, plan_missing_artwork
from albumart.models import ArtworkRun
from albumart.queueing import cancel_run, pause_run, resume_run, start_run
from common.errors import RegistryError
from common.model_admin import ReadOnlyModelAdmin

_SHOWN = 20


class StartForm(forms.Form):
    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget(), help_text="Found again by it.")
    reason = forms.CharField(max_length=200, required=False, widget=UnfoldAdminTextInputWidget())


@admin.register(ArtworkRun)
class ArtworkRunAdmin(ReadOnlyModelAdmin):
    list_display = ("name", "progress", "songs", "requested_by", "requested_at")
    search_fields = ("name",)
    fields = ("panel",)
    readonly_fields = ("panel",)
    actions_list = ("open_plan",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ArtworkRun]:
        return super().get_queryset(request).annotate(
            asked=Count("artworks"),
            open_count=Count("artworks", filter=Q(artworks__status__in=["waiting", "running"])),
            stored_count=Count("artworks", filter=Q(artworks__status="stored")),
        )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("plan/", view(self.plan_view), name="albumart_artworkrun_plan"),
            path("<int:pk>/progress/", view(self.metrics_view), name="albumart_artworkrun_progress"),
            path("<int:pk>/actions/<str:action>/", view(self.action_view), name="albumart_artworkrun_action"),
            *super().get_urls(),
        ]

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("albumart.steer_artworkrun")

    @admin_action(description="Find missing artwork", url_path="find", icon="image_search", permissions=["steer"])
    def open_plan(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:albumart_artworkrun_plan"))

    def plan_view(self, request: HttpRequest) -> HttpResponse:
        """The plan as it is now; started, it is made anew, so that nothing is asked for twice."""
        if not self.has_steer_permission(request):
            raise PermissionDenied
        plan = plan_missing_artwork()
        now = timezone.now()
        initial = {"name": f"Missing artwork {now:%Y-%m-%d %H:%M}"}
        form = StartForm(request.POST) if request.method == "POST" else StartForm(initial=initial)
        if request.method == "POST" and form.is_valid():
            try:
                run = start_run(plan, by=request.user.email, now=now, **form.cleaned_data)
            except RegistryError as error:
                form.add_error("name" if error.field_errors else None, error.message)
            else:
                messages.success(request, f"{len(plan.requests)} pictures are asked for.")
                return HttpResponseRedirect(reverse("admin:albumart_artworkrun_change", args=[run.pk]))
        return TemplateResponse(request, "admin/albumart/plan.html", self._plan_context(request, plan, form))

    def _plan_context(self, request: HttpRequest, plan: FetchPlan, form: StartForm) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": "Missing artwork",
            "opts": self.opts,
            "plan": plan,
            "shown": plan.requests[:_SHOWN],
            "without_url": plan.without_url[:_SHOWN],
            "host_not_allowed": plan.host_not_allowed[:_SHOWN],
            "by_source": plan.requests_by_source.most_common(),
            "form": form,
        }

    def metrics_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(ArtworkRun, pk=pk)
        return JsonResponse({**cohort_metrics(run), "wait_reason": run_wait_reason(run, timezone.now())})

    def action_view(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_steer_permission(request):
            raise PermissionDenied
        if action == "pause":
            pause_run(pk, now=timezone.now())
        elif action == "resume":
            resume_run(pk)
        elif action == "cancel":
            count = cancel_run(pk, by=request.user.email, now=timezone.now())
            messages.success(request, f"{count} requests were cancelled.")
        return HttpResponseRedirect(reverse("admin:albumart_artworkrun_change", args=[pk]))

    @display(description="Progress")
    def progress(self, run: Any) -> SafeString:
        done = run.asked - run.open_count
        return format_html(
            '<progress max="{}" value="{}" aria-label="done"></progress> {} of {}, {} stored{}',
            run.asked or 1, done if run.asked else 1, done, run.asked, run.stored_count,
            ", paused" if run.paused_at else "",
        )  # fmt: skip

    @display(description="Songs")
    def songs(self, run: ArtworkRun) -> int:
        return len(run.asset_pks)

    @display(description="")
    def panel(self, run: ArtworkRun) -> SafeString:
        context = {
            "run": run, "metrics": cohort_metrics(run), "wait_reason": run_wait_reason(run, timezone.now()),
        }  # fmt: skip
        return render_to_string("admin/albumart/run_panel.html", context)
