"""Filters of the asset list that Django has no ready form for."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, TextFilter

from assets.models import Asset


class StateFilter(admin.SimpleListFilter):
    """Without a choice deleted assets stay out of the way."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("uncurated", "To be curated"), ("curated", "Curated"), ("deleted", "Deleted"), ("all", "All")]

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
        is_empty = Q(**{f"{self.field}__isnull": True})
        return {"yes": queryset.exclude(is_empty), "no": queryset.filter(is_empty)}.get(self.value() or "", queryset)


class HasCreatorDescription(_HasTextFilter):
    title = "creator description"
    parameter_name = "has_creator_description"
    field = "creator_description"


class HasAlbumArt(_HasTextFilter):
    title = "album art"
    parameter_name = "has_album_art"
    field = "album_art"
