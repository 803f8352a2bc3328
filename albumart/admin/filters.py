"""Filters and search of the artwork list."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from albumart.models import Artwork, ArtworkCohort
from assets.models import Asset
from common.admin_filters import IndexedValuesFilter

_SHOWN_COHORTS = 50
_ASSET_REFERENCE = re.compile(r"[A-Z]\.")  # as all names and addresses begin


class ErrorCodeFilter(IndexedValuesFilter):
    title = "error code"
    parameter_name = "error_code"
    field = "error_code"


class SourceHostFilter(IndexedValuesFilter):
    title = "source host"
    parameter_name = "source_host"
    field = "source_host"


class CohortFilter(DropdownFilter):
    """Offer the newest runs."""

    title = "run"
    parameter_name = "cohort__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = ArtworkCohort.objects.order_by("-pk").values_list("pk", "name")[:_SHOWN_COHORTS]
        return [(str(pk), name) for pk, name in newest]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Artwork]:
        value = self.value() or ""
        return queryset.filter(cohort=int(value)) if value.isascii() and value.isdigit() else queryset


def search_artworks(artworks: QuerySet[Artwork], search_term: str) -> QuerySet[Artwork]:
    """Filter by the start of a name, address, host or URL, each of which has an index."""
    text = search_term.strip()
    if not text:
        return artworks
    if "://" in text:
        try:
            host = urlsplit(text).hostname or ""
        except ValueError:  # brackets that are no IPv6 address
            return artworks.none()
        return artworks.filter(source_host__startswith=host, source_url__startswith=text)
    reference = text.upper()
    if _ASSET_REFERENCE.match(reference):
        named = Asset.objects.filter(Q(name__startswith=reference) | Q(nna_address__startswith=reference))
        return artworks.filter(asset__in=named.values("pk"))
    return artworks.filter(source_host__startswith=text.lower())
