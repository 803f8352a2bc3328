"""Filters and orders of asset lists: query parameters in the spellings of three clients."""

from typing import Any

import django_filters
from django.db.models import Q

from assets.models import Asset
from assets.querysets import AssetQuerySet
from assets.totals import Counters
from common.errors import InvalidInput
from common.text_validation import clean_text
from flags.registry import ALBUM_ART, CREATOR_DESCRIPTION
from taxonomy.snapshot import TaxonomySnapshot

_MAX_VALUE_LENGTH = 300
_DESCRIPTION_ORIGINS = {"person": "", "backfill": "backfill"}
_SORTS = {
    "createdat": "created_at",
    "updatedat": "updated_at",
    "name": "name",
    "layer": "layer",
    "createdby": "registered_by",
    "registeredby": "registered_by",
}


class AssetFilter(django_filters.FilterSet):
    """Filters other than taxonomy and search. A filter on a gated field is ignored if its flag is off."""

    components = django_filters.CharFilter(method="filter_components")
    registeredBy = django_filters.CharFilter(field_name="registered_by", lookup_expr="iexact")  # noqa: N815
    createdBy = django_filters.CharFilter(field_name="registered_by", lookup_expr="iexact")  # noqa: N815
    status = django_filters.CharFilter(method="filter_status")
    startDate = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")  # noqa: N815
    createdAfter = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")  # noqa: N815
    endDate = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lte")  # noqa: N815
    createdBefore = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lte")  # noqa: N815
    hasCreatorDescription = django_filters.BooleanFilter(method="filter_has_creator_description")  # noqa: N815
    creatorDescriptionOrigin = django_filters.CharFilter(method="filter_creator_description_origin")  # noqa: N815
    hasAlbumArt = django_filters.BooleanFilter(method="filter_has_album_art")  # noqa: N815

    class Meta:
        model = Asset
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, taxonomy: TaxonomySnapshot, flags: Any, **kwargs: Any) -> None:
        self.taxonomy = taxonomy
        self.flags = flags
        super().__init__(*args, **kwargs)

    def filter_components(self, assets: AssetQuerySet, name: str, value: str) -> AssetQuerySet:
        """Select composites with a component, given by name or by address."""
        condition = Q(components__contains=[value.strip().upper()])
        try:
            condition |= Q(components__contains=[self.taxonomy.hfn_to_mfa(value)])
        except InvalidInput:
            try:
                condition |= Q(components__contains=[self.taxonomy.hfn_to_mfa(self.taxonomy.mfa_to_hfn(value))])
            except InvalidInput:
                return assets.filter(condition)
        return assets.filter(condition)

    def filter_status(self, assets: AssetQuerySet, name: str, value: str) -> AssetQuerySet:
        if value == "curated":
            return assets.exclude(curated_at=None)
        return assets if value in ("active", "all") else assets.none()

    def filter_has_creator_description(self, assets: AssetQuerySet, name: str, value: bool) -> AssetQuerySet:
        if not self.flags.is_on(CREATOR_DESCRIPTION):
            return assets
        return assets.exclude(creator_description=None) if value else assets.filter(creator_description=None)

    def filter_creator_description_origin(self, assets: AssetQuerySet, name: str, value: str) -> AssetQuerySet:
        """Filter by `person` or `backfill`; other values are ignored, as in all filters of the list."""
        origin = _DESCRIPTION_ORIGINS.get(value)
        if origin is None or not self.flags.is_on(CREATOR_DESCRIPTION):
            return assets
        return assets.filter(creator_description__isnull=False, creator_description_origin=origin)

    def filter_has_album_art(self, assets: AssetQuerySet, name: str, value: bool) -> AssetQuerySet:
        if not self.flags.is_on(ALBUM_ART):
            return assets
        return assets.exclude(album_art=None) if value else assets.filter(album_art=None)

    def counters(self) -> Counters | None:
        """Return the counters of the total, if the request names no other filter than one that has counters."""
        given = {name: value for name, value in self.form.cleaned_data.items() if value not in (None, "")}
        match list(given.items()):
            case [("status", "curated")]:
                return Counters(("curated",))
            case [("hasAlbumArt", is_present)]:
                return Counters(("album_art",), is_rest=not is_present)
            case [("hasCreatorDescription", is_present)]:
                names = (f"creator_description {origin}" for origin in _DESCRIPTION_ORIGINS.values())
                return Counters(tuple(names), is_rest=not is_present)
            case [("creatorDescriptionOrigin", name)] if name in _DESCRIPTION_ORIGINS:
                return Counters((f"creator_description {_DESCRIPTION_ORIGINS[name]}",))
        return None


FILTER_NAMES = frozenset(AssetFilter.base_filters)


def parse_tags(params: Any) -> list[str]:
    """Read `tags=a,b` or `tags[]=a&tags[]=b`. An asset must have all of the tags."""
    values = [part for text in params.getlist("tags") for part in text.split(",")] + params.getlist("tags[]")
    return [value.strip() for value in values if value.strip()]


def parse_ordering(params: Any) -> tuple[str, ...] | None:
    """Return the model fields to order by, or None for the default. Unknown values are ignored."""
    field = _SORTS.get((params.get("sortBy") or params.get("sort") or "").lower())
    direction = (params.get("sortOrder") or params.get("order") or params.get("sortDirection") or "").lower()
    if field is None and direction != "asc":
        return None
    sign = "" if direction == "asc" or (field in ("name", "layer", "registered_by") and direction != "desc") else "-"
    if field == "name":
        return (f"{sign}name",)  # names are unique
    return (f"{sign}{field or 'created_at'}", f"{sign}public_id")


def validate_query_params(params: Any) -> None:
    """Raise InvalidInput, naming the parameter, for NUL, lone surrogates and values over 300 characters."""
    for name, values in params.lists():
        for value in values:
            if name not in ("search", "q"):
                clean_text(value, field=name[:100], max_length=_MAX_VALUE_LENGTH)
