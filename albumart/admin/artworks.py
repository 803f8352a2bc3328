"""Requests for pictures: what became of each, why, and what can be done about it."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, Prefetch, QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from unfold.contrib.filters.admin import AllValuesCheckboxFilter, ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action as admin_action
from unfold.decorators import display

from albumart.admin.upload import handle_upload
from albumart.metrics import pipeline_metrics
from albumart.models import Artwork, ArtworkFile
from albumart.queueing import mark_not_found, refetch, retry_failed
from assets.media_storage import public_url
from common.errors import RegistryError
from common.model_admin import ReadOnlyModelAdmin
from flags.evaluation import global_flags
from flags.registry import ALBUM_ART_PIPELINE

_PERMISSION = "albumart.process_artwork"
_HELD = "Paused: the flag album_art_pipeline is off"
_WINDOWS_DAYS = (1, 7, 30)


@admin.register(Artwork)
class ArtworkAdmin(ReadOnlyModelAdmin):
    list_display = ("thumbnail", "asset_link", "state", "source_name", "quality", "why", "attempts", "age")
    list_display_links = ("thumbnail",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("error_code", AllValuesCheckboxFilter),
        ("source_host", AllValuesCheckboxFilter),
        ("run", RelatedDropdownFilter),
        "is_current",
    )
    search_fields = ("asset__name", "asset__nna_address", "source_url")
    search_help_text = "Name or address of the asset, address of the picture"
    list_select_related = ("asset", "run")
    actions = ("fetch_again", "rerun", "mark_absent")
    fields = ("panel",)
    readonly_fields = ("panel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Artwork]:
        files = Prefetch("files", ArtworkFile.objects.order_by("artwork", "width_px"))
        is_held = not global_flags().is_on(ALBUM_ART_PIPELINE)  # asked once, not for each row
        artworks = super().get_queryset(request).annotate(is_held=Value(is_held, BooleanField()))
        return artworks.select_related("asset", "run", "source").prefetch_related(files)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("upload/<int:asset_pk>/", view(self.upload_view), name="albumart_artwork_upload"),
            path("<int:pk>/actions/<str:action>/", view(self.action_view), name="albumart_artwork_action"),
            path("metrics/", view(self.metrics_view), name="albumart_metrics"),
            *super().get_urls(),
        ]

    def has_process_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(_PERMISSION)

    @admin_action(description="Refetch", permissions=["process"])
    def fetch_again(self, request: HttpRequest, artworks: QuerySet[Artwork]) -> None:
        self._message_user(
            request, refetch(_pks(artworks), by=request.user.email, now=timezone.now()), "asked for again"
        )

    @admin_action(description="Retry from failed step", permissions=["process"])
    def rerun(self, request: HttpRequest, artworks: QuerySet[Artwork]) -> None:
        self._message_user(request, retry_failed(_pks(artworks), now=timezone.now()), "queued")

    @admin_action(description="Mark as not found", permissions=["process"])
    def mark_absent(self, request: HttpRequest, artworks: QuerySet[Artwork]) -> None:
        self._message_user(
            request, mark_not_found(_pks(artworks), by=request.user.email, now=timezone.now()), "marked as absent"
        )

    def _message_user(self, request: HttpRequest, count: int, what: str) -> None:
        self.message_user(request, f"{count} picture{'' if count == 1 else 's'} {what}.")

    def action_view(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """A button of the detail page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_process_permission(request):
            raise PermissionDenied
        now, by = timezone.now(), request.user.email
        actions = {
            "again": lambda: refetch([pk], by=by, now=now),
            "rerun": lambda: retry_failed([pk], now=now),
            "absent": lambda: mark_not_found([pk], by=by, now=now),
        }
        try:
            count = actions[action]() if action in actions else 0
        except RegistryError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "Artwork queued." if count else "No artwork needed this action.")
        newest = Artwork.objects.filter(asset__artworks=pk).order_by("-pk").values_list("pk", flat=True).first()
        return HttpResponseRedirect(reverse("admin:albumart_artwork_change", args=[newest or pk]))

    def upload_view(self, request: HttpRequest, asset_pk: int) -> HttpResponse:
        if not self.has_process_permission(request):
            raise PermissionDenied
        return handle_upload(request, asset_pk, {**self.admin_site.each_context(request), "opts": self.opts})

    def metrics_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        wished = request.GET.get("days", "7")
        days = int(wished) if wished.isascii() and wished.isdigit() and int(wished) in _WINDOWS_DAYS else 7
        context = {
            **self.admin_site.each_context(request),
            "title": "Album art metrics",
            "opts": self.opts,
            "metrics": pipeline_metrics(timezone.now(), window=timedelta(days=days)),
            "windows": _WINDOWS_DAYS,
            "is_held": not global_flags().is_on(ALBUM_ART_PIPELINE),
        }
        return TemplateResponse(request, "admin/albumart/metrics.html", context)

    @display(description="")
    def thumbnail(self, artwork: Artwork) -> SafeString:
        files = list(artwork.files.all())
        if not files:
            return format_html('<span class="material-symbols-outlined" role="img" aria-label="{}">{}</span>',
                               artwork.status, "hide_image")  # fmt: skip
        return format_html(
            '<img src="{}" alt="" loading="lazy" width="48" height="48" style="width:48px;height:48px;'
            'object-fit:cover;border-radius:6px;background:{}">',
            public_url(files[0].key), artwork.dominant_color or "transparent",
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
        label={"stored": "success", "waiting": "info", "running": "info", "refused": "danger", "failed": "danger",
               "absent": "warning"},
    )  # fmt: skip
    def state(self, artwork: Artwork) -> str:
        return artwork.status

    @display(description="Why")
    def why(self, artwork: Artwork) -> str:
        return why(artwork)

    @display(description="Age", ordering="requested_at")
    def age(self, artwork: Artwork) -> str:
        return timesince(artwork.requested_at, depth=1)

    @display(description="")
    def panel(self, artwork: Artwork) -> SafeString:
        return render_to_string("admin/albumart/artwork_panel.html", self._panel_context(artwork))

    def _panel_context(self, artwork: Artwork) -> dict[str, Any]:
        return {
            "artwork": artwork,
            "why": why(artwork),
            "files": [(file, public_url(file.key)) for file in artwork.files.all()],
            "steps": artwork.steps.all(),
            "others": artwork.asset.artworks.exclude(pk=artwork.pk)[:10],
            "can_rerun": artwork.status in ("refused", "absent", "failed"),
        }


def why(artwork: Any) -> str:
    """In a sentence: why there is no picture, or why it takes so long."""
    if artwork.status == Artwork.Status.WAITING:
        if artwork.run and artwork.run.paused_at:
            return f"The run {artwork.run.name} is paused"
        if artwork.is_held:
            return _HELD
        return artwork.wait_reason
    return artwork.error_message


def _pks(artworks: QuerySet[Artwork]) -> list[int]:
    return list(artworks.values_list("pk", flat=True))
