"""Filters of the artwork list."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from albumart.models import Artwork, ArtworkCohort
from common.admin_filters import IndexedValuesFilter

_SHOWN_COHORTS = 50


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
