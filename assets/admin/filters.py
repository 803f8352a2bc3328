"""Filters of the asset list."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, TextFilter

from assets.album_art_backend import get_album_art_backend
from assets.models import Asset
from common.admin_filters import SearchedFilter

DESCRIPTION_ORIGINS = {"person": "", "backfill": "backfill"}


class StateFilter(admin.SimpleListFilter):
    """Show live assets by default."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("uncurated", "Not curated"), ("curated", "Curated"), ("deleted", "Deleted"), ("all", "With deleted")]

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        default, *others = super().choices(changelist)
        yield default | {"display": "Not deleted"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Asset]:
        value = self.value()
        if value == "all":
            return queryset
        if value == "deleted":
            return queryset.deleted()
        live = queryset.live()
        if value == "curated":
            return live.exclude(curated_at=None)
        return live.filter(curated_at=None) if value == "uncurated" else live


class LayerFilter(DropdownFilter):
    title = "layer"
    parameter_name = "layer"
    names = ("G Songs", "S Stars", "L Looks", "M Moves", "W Worlds", "B Branded", "P Personalize", "T Training data",
             "C Composites", "R Rights")  # fmt: skip

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name[0], name) for name in self.names]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Asset]:
        return queryset.filter(layer=self.value()) if self.value() else queryset


class SubcategoryFilter(SearchedFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "subcategory"


class TagFilter(TextFilter):
    title = "tag"
    parameter_name = "tag"

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Asset]:
        return queryset.filter(tags__contains=[self.value()]) if self.value() else queryset


class _HasTextFilter(admin.SimpleListFilter):
    field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Asset]:
        has_text = self.condition()
        return {"yes": queryset.filter(has_text), "no": queryset.filter(~has_text)}.get(self.value() or "", queryset)

    def condition(self) -> Q:
        return Q(**{f"{self.field}__isnull": False})


class HasCreatorDescription(_HasTextFilter):
    title = "creator description"
    parameter_name = "has_creator_description"
    field = "creator_description"


class CreatorDescriptionOrigin(admin.SimpleListFilter):
    title = "creator description origin"
    parameter_name = "creator_description_origin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("person", "Entered by a user"), ("backfill", "Backfilled")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Asset]:
        origin = DESCRIPTION_ORIGINS.get(self.value() or "")
        if origin is None:
            return queryset
        return queryset.filter(creator_description__isnull=False, creator_description_origin=origin)


class HasAlbumArt(_HasTextFilter):
    title = "album art"
    parameter_name = "has_album_art"
    field = "album_art"

    def condition(self) -> Q:
        """Match assets with a URL or with stored artwork: an uploaded image has no URL."""
        backend = get_album_art_backend()
        return super().condition() | backend.has_artwork_q() if backend else super().condition()
