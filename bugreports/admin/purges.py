"""Admin list of purges."""

from django.contrib import admin
from unfold.decorators import display

from bugreports.models import PurgeRun
from common.model_admin import ReadOnlyModelAdmin


@admin.register(PurgeRun)
class PurgeRunAdmin(ReadOnlyModelAdmin):
    list_display = ("started_at", "state", "requested_by", "matched", "deleted", "skipped", "expired", "cutoff")
    list_filter = ("status",)

    @display(
        description="Status", ordering="status",
        label={"done": "success", "running": "info", "interrupted": "warning", "aborted": "danger"},
    )  # fmt: skip
    def state(self, run: PurgeRun) -> str:
        return run.status
