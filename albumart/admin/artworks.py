"""Admin of artwork requests: outcomes, errors and actions."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, OuterRef, QuerySet, Subquery, Value
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action as admin_action
from unfold.decorators import display

from albumart.admin.filters import CohortFilter, ErrorCodeFilter, SourceHostFilter, search_artworks
from albumart.admin.missing_artwork import handle_missing_artwork
from albumart.admin.upload import handle_upload
from albumart.metrics import pipeline_metrics
from albumart.models import Artwork, ArtworkFile
from albumart.queueing import mark_not_found, refetch, retry_failed
from assets.media_storage import public_url
from common.errors import RegistryError
from common.model_admin import ReadOnlyModelAdmin
from flags.evaluation import global_flags
from flags.registry import ALBUM_ART_PIPELINE
from jobs import states

_PERMISSION = "albumart.process_artwork"
_PIPELINE_OFF = "Paused: the flag album_art_pipeline is off"
_WINDOWS_DAYS = (1, 7, 30)


@admin.register(Artwork)
class ArtworkAdmin(ReadOnlyModelAdmin):
    list_display = ("thumbnail", "asset_link", "state", "source_name", "quality", "reason", "attempts", "age")
    list_display_links = ("thumbnail",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ErrorCodeFilter,
        SourceHostFilter,
        CohortFilter,
        "is_current",
    )
    sortable_by = ("age",)
    search_fields = ("source_url",)  # enables the search box; `get_search_results` does the search
    search_help_text = "Start of the name or address of the asset, or of the host or URL of the image"
    actions = ("refetch", "retry", "mark_not_found")
    fields = ("panel",)
    readonly_fields = ("panel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Artwork]:
        smallest = ArtworkFile.objects.filter(artwork=OuterRef("pk")).order_by("width_px").values("key")[:1]
        is_off = not global_flags().is_on(ALBUM_ART_PIPELINE)  # evaluated once, not for each row
        artworks = (
            super()
            .get_queryset(request)
            .annotate(is_pipeline_off=Value(is_off, BooleanField()), thumbnail_key=Subquery(smallest))
        )
        # Rows of assets, cohorts and runs have long columns that no page of artwork shows.
        shown = (*(field.name for field in Artwork._meta.concrete_fields), "asset__name", "cohort__name",
                 "cohort__run__state")  # fmt: skip
        return artworks.select_related("asset", "cohort__run").only(*shown)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Artwork], search_term: str
    ) -> tuple[QuerySet[Artwork], bool]:
        return search_artworks(queryset, search_term), False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("upload/<int:asset_pk>/", view(self.upload_view), name="albumart_artwork_upload"),
            path("<int:pk>/actions/<str:action>/", view(self.action_view), name="albumart_artwork_action"),
            path("missing/", view(self.missing_view), name="albumart_missing_artwork"),
            path("metrics/", view(self.metrics_view), name="albumart_metrics"),
            *super().get_urls(),
        ]

    def has_process_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(_PERMISSION)

    @admin_action(description="Refetch", permissions=["process"])
    def refetch(self, request: HttpRequest, artworks: QuerySet[Artwork]) -> None:
        count = refetch(_pks(artworks), by=request.user.email, now=timezone.now())
        self.message_user(request, f"Artwork requested again: {count}.")

    @admin_action(description="Retry from failed step", permissions=["process"])
    def retry(self, request: HttpRequest, artworks: QuerySet[Artwork]) -> None:
        self.message_user(request, f"Artwork queued: {retry_failed(_pks(artworks), now=timezone.now())}.")

    @admin_action(description="Mark as not found", permissions=["process"])
    def mark_not_found(self, request: HttpRequest, artworks: QuerySet[Artwork]) -> None:
        count = mark_not_found(_pks(artworks), by=request.user.email, now=timezone.now())
        self.message_user(request, f"Artwork marked as not found: {count}.")

    def action_view(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """Run the action of a button on the detail page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_process_permission(request):
            raise PermissionDenied
        try:
            count = _run_action(action, pk, by=request.user.email)
        except RegistryError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "Done." if count else "This artwork did not need the action.")
        newest = Artwork.objects.filter(asset__artworks=pk).order_by("-pk").values_list("pk", flat=True).first()
        return HttpResponseRedirect(reverse("admin:albumart_artwork_change", args=[newest or pk]))

    def upload_view(self, request: HttpRequest, asset_pk: int) -> HttpResponse:
        if not self.has_process_permission(request):
            raise PermissionDenied
        return handle_upload(request, asset_pk, self._page_context(request))

    def missing_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return handle_missing_artwork(request, self._page_context(request))

    def metrics_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        text = request.GET.get("days", "7")
        days = int(text) if text.isascii() and text.isdigit() and int(text) in _WINDOWS_DAYS else 7
        context = {
            **self._page_context(request),
            "title": "Album art metrics",
            "metrics": pipeline_metrics(timezone.now(), window=timedelta(days=days)),
            "windows": _WINDOWS_DAYS,
            "is_paused": not global_flags().is_on(ALBUM_ART_PIPELINE),
        }
        return TemplateResponse(request, "admin/albumart/metrics.html", context)

    def _page_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts}

    @display(description="")
    def thumbnail(self, artwork: Artwork) -> SafeString:
        if not artwork.thumbnail_key:
            return format_html('<span class="material-symbols-outlined" role="img" aria-label="{}">{}</span>',
                               artwork.get_status_display(), "hide_image")  # fmt: skip
        return format_html(
            '<img src="{}" alt="" loading="lazy" width="48" height="48" style="width:48px;height:48px;'
            'object-fit:cover;border-radius:6px;background:{}">',
            public_url(artwork.thumbnail_key), artwork.dominant_color or "transparent",
        )  # fmt: skip

    @display(description="Asset", ordering="asset__name")
    def asset_link(self, artwork: Artwork) -> SafeString:
        return format_html(
            '<a class="text-primary-600 underline" style="white-space:nowrap" href="{}">{}</a>{}',
            reverse("admin:assets_asset_change", args=[artwork.asset_id]), artwork.asset.name,
            "" if artwork.is_current else " (earlier)",
        )  # fmt: skip

    @display(
        description="State", ordering="status",
        label={"Stored": "success", "Pending": "info", "Processing": "info", "Rejected": "danger", "Failed": "danger",
               "Not found": "warning"},
    )  # fmt: skip
    def state(self, artwork: Artwork) -> str:
        return artwork.get_status_display()

    @display(description="Reason")
    def reason(self, artwork: Artwork) -> str:
        return _reason(artwork)

    @display(description="Age", ordering="requested_at")
    def age(self, artwork: Artwork) -> str:
        return timesince(artwork.requested_at, depth=1)

    @display(description="")
    def panel(self, artwork: Artwork) -> SafeString:
        context = {
            "artwork": artwork,
            "reason": _reason(artwork),
            "files": [(file, public_url(file.key)) for file in artwork.files.order_by("width_px")],
            "steps": artwork.steps.all(),
            "others": artwork.asset.artworks.exclude(pk=artwork.pk)[:10],
            "can_retry": artwork.status in ("refused", "absent", "failed"),
        }
        return render_to_string("admin/albumart/artwork_panel.html", context)


def _run_action(action: str, pk: int, *, by: str) -> int:
    now = timezone.now()
    if action == "refetch":
        return refetch([pk], by=by, now=now)
    if action == "retry":
        return retry_failed([pk], now=now)
    return mark_not_found([pk], by=by, now=now) if action == "mark-not-found" else 0


def _reason(artwork: Any) -> str:
    """Return why there is no artwork, or why the request waits."""
    if artwork.status != Artwork.Status.WAITING:
        return artwork.error_message
    if artwork.cohort and artwork.cohort.run.state in (states.PAUSING, states.PAUSED):
        return f"The run {artwork.cohort.name} is paused"
    return _PIPELINE_OFF if artwork.is_pipeline_off else artwork.wait_reason


def _pks(artworks: QuerySet[Artwork]) -> list[int]:
    return list(artworks.values_list("pk", flat=True))
