from django.contrib import admin

from common.model_admin import ReadOnlyModelAdmin
from notifications.models import Notification


@admin.register(Notification)
class NotificationAdmin(ReadOnlyModelAdmin):
    list_display = ("key", "kind", "status", "attempts", "written_at", "sent_at", "last_error")
    list_filter = ("kind", "status")
    sortable_by = ("key",)
    search_fields = ("key__startswith",)
    search_help_text = "Start of the key"
