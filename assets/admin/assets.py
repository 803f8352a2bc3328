"""The asset admin. Changes call the same domain functions as the API."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from assets.admin.bulk import BULK_ACTIONS, BulkAction
from assets.admin.change_list import (
    AssetChangeList,
    AssetPaginator,
    SearchedAssets,
    has_matches,
    select_assets,
)
from assets.admin.filters import (
    CreatorDescriptionOrigin,
    HasAlbumArt,
    HasCreatorDescription,
    LayerFilter,
    StateFilter,
    SubcategoryFilter,
    TagFilter,
)
from assets.admin.forms import AssetForm
from assets.admin.previews import component_links, composite_links, player, thumbnail
from assets.album_art_backend import get_album_art_backend
from assets.editing import edit_asset
from assets.models import Asset
from assets.search import EVERYTHING, build_search, clean_search
from assets.selection import NEWEST_FIRST
from common.admin_actions import ConfirmedActionsModelAdmin
from common.admin_filters import SearchedFilter
from common.errors import InvalidInput
from taxonomy.snapshot_cache import current_taxonomy


@admin.register(Asset)
class AssetAdmin(SimpleHistoryAdmin, ConfirmedActionsModelAdmin):
    confirmed_actions = BULK_ACTIONS
    row_name = "asset"
    form = AssetForm
    list_display = (
        "thumbnail_column",
        "name_column",
        "nna_address",
        "layer",
        "creator_description_column",
        "state",
        "registered_at",
        "registered_by",
    )
    list_display_links = ("thumbnail_column", "name_column")
    list_filter = (
        StateFilter,
        LayerFilter,
        ("taxonomy_node__category", SearchedFilter),
        ("taxonomy_node", SubcategoryFilter),
        TagFilter,
        HasCreatorDescription,
        CreatorDescriptionOrigin,
        HasAlbumArt,
        ("created_at", RangeDateFilter),
    )
    search_fields = ("name",)  # enables the search box; `get_search_results` does the search
    search_help_text = "Name, address, id, description, tags, taxonomy, creator description, AI metadata"
    ordering = NEWEST_FIRST
    sortable_by = ("name_column", "registered_at")  # these have an index
    # Generated texts are not shown here, and are as long as all other columns together.
    deferred = ("document", "search_text", "creator_search_text", "ai_search_text", "full_search_text")
    readonly_fields = (
        "preview", "name", "nna_address", "public_id", "taxonomy_path", "state", "backfilled_fields", "registered_by",
        "created_at", "updated_at", "revision", "origin", "album_art_panel", "component_links", "used_in", "mime_type",
        "file_size", "original_filename", "curation", "deletion",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("preview", "name", ("nna_address", "state"), "taxonomy_path")}),
        ("Description", {"fields": ("description", "creator_description", "backfilled_fields", "tags", "source")}),
        ("Album art and AI metadata", {"fields": ("album_art_panel", "album_art", "ai_metadata")}),
        ("Components", {"fields": ("component_links", "used_in")}),
        ("Rights and training", {"classes": ("collapse",), "fields": ("rights", "training_data")}),
        (
            "Audit",
            {
                "fields": (
                    ("public_id", "origin"),
                    ("registered_by", "revision"),
                    ("created_at", "updated_at"),
                    ("original_filename", "mime_type", "file_size"),
                    ("curation", "deletion"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Asset]:
        return super().get_queryset(request).defer(*self.deferred)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[AssetChangeList]:
        return AssetChangeList

    def get_paginator(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> AssetPaginator:
        searched = getattr(request, "asset_search", None)
        selection = select_assets(request.GET, searched.rows if searched else queryset, searched and searched.search)
        return AssetPaginator(
            queryset, *args, selection=selection, has_deleted=request.GET.get("state") == "all", **kwargs
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # the API registers an asset with its file

    def has_delete_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return False  # the action soft_delete hides assets; rows are never deleted

    def revert_disabled(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return True  # an old state has an old name and address

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Asset], search_term: str
    ) -> tuple[QuerySet[Asset], bool]:
        try:
            text = clean_search(search_term)
        except InvalidInput as error:
            self.message_user(request, error.message, level="error")
            return queryset.none(), False
        if not text:
            return queryset, False
        search = build_search(text, taxonomy=current_taxonomy, scope=EVERYTHING)
        request.asset_search = SearchedAssets(search, queryset)  # type: ignore[attr-defined]
        return queryset.filter(has_matches(search)), False

    def save_model(self, request: HttpRequest, obj: Asset, form: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            edit_asset(obj.pk, changes, by=request.user, taxonomy=current_taxonomy(), now=timezone.now())

    def run_confirmed(self, request: HttpRequest, action: BulkAction, pks: list[int], data: dict[str, Any]) -> int:
        return action.run(pks, request.user, data)

    @display(description="")
    def thumbnail_column(self, asset: Asset) -> str:
        return thumbnail(asset)

    @display(description="HFN", ordering="name")
    def name_column(self, asset: Asset) -> str:
        base, _, components = asset.name.partition(":")
        count = f" ({len(components.split(':'))} components)" if components else ""
        return format_html('<span style="white-space:nowrap">{}{}</span>', base, count)

    @display(description="Creator description")
    def creator_description_column(self, asset: Asset) -> str:
        text = Truncator(asset.creator_description or "").chars(60)
        if not asset.creator_description_origin:
            return text
        return format_html('{} <em style="opacity:.6">backfilled</em>', text)

    @display(description="Backfilled fields")
    def backfilled_fields(self, asset: Asset) -> str:
        columns = {"creator description": asset.creator_description_origin, "AI metadata": asset.ai_metadata_origin}
        return ", ".join(name for name, origin in columns.items() if origin) or "none"

    @display(description="State", label={"active": "info", "curated": "success", "deleted": "danger"})
    def state(self, asset: Asset) -> str:
        return "deleted" if asset.is_deleted else "curated" if asset.curated_at else "active"

    @display(description="Registered", ordering="created_at")
    def registered_at(self, asset: Asset) -> str:
        return format_html('<span style="white-space:nowrap">{}</span>', f"{asset.created_at:%Y-%m-%d %H:%M}")

    @display(description="Preview")
    def preview(self, asset: Asset) -> str:
        return player(asset)

    @display(description="Taxonomy")
    def taxonomy_path(self, asset: Asset) -> str:
        return f"{asset.layer} / {asset.category} / {asset.subcategory}"

    @display(description="Album art")
    def album_art_panel(self, asset: Asset) -> str:
        backend = get_album_art_backend()
        return (backend.render_admin_panel(asset) if backend else "") or "Only songs have album art."

    @display(description="Components")
    def component_links(self, asset: Asset) -> str:
        return component_links(asset)

    @display(description="Used in")
    def used_in(self, asset: Asset) -> str:
        return composite_links(asset)

    @display(description="Curated")
    def curation(self, asset: Asset) -> str:
        return f"{asset.curated_at:%Y-%m-%d %H:%M} by {asset.curated_by}" if asset.curated_at else "no"

    @display(description="Deleted")
    def deletion(self, asset: Asset) -> str:
        if not asset.is_deleted:
            return "no"
        return f"{asset.deleted_at:%Y-%m-%d %H:%M} by {asset.deleted_by}: {asset.deletion_reason}"
