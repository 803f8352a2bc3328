"""Read-only pages of counters and reservations. `manage.py check_sequences --repair` repairs counters."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from assets.models import SequenceCounter, SequenceReservation
from common.model_admin import ReadOnlyModelAdmin


@admin.register(SequenceCounter)
class SequenceCounterAdmin(ReadOnlyModelAdmin):
    list_display = ("taxonomy_node", "last_number", "live_count", "assets_link")
    list_select_related = ("taxonomy_node__category__layer",)
    list_filter = ("taxonomy_node__category__layer",)
    search_fields = ("taxonomy_node__name", "taxonomy_node__code", "taxonomy_node__category__name")
    ordering = ("-last_number",)

    @display(description="Assets")
    def assets_link(self, counter: SequenceCounter) -> str:
        url = reverse("admin:assets_asset_changelist")
        return format_html('<a href="{}?taxonomy_node__id__exact={}">show</a>', url, counter.pk)


@admin.register(SequenceReservation)
class SequenceReservationAdmin(ReadOnlyModelAdmin):
    list_display = ("taxonomy_node", "number", "purpose", "reserved_by", "reserved_at", "expires_at", "released_at")
    list_select_related = ("taxonomy_node__category__layer",)
    list_filter = ("purpose",)
    ordering = ("-reserved_at",)
