"""Metrics of bug reports for operators."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q

from bugreports.models import BugReport, PendingFileDeletion, PurgeRun
from bugreports.queues import expiring_before
from bugreports.statuses import STATUSES
from common.timestamps import format_timestamp
from notifications.models import Notification


def report_metrics(now: datetime) -> dict[str, Any]:
    """Return counts by status and priority, the age of the oldest active report, and the last purge."""
    by_status = dict.fromkeys(STATUSES, 0)
    by_status |= dict(BugReport.objects.order_by().values_list("status").annotate(Count("pk")))
    active = BugReport.objects.active().order_by()
    by_priority = {word or "none": count for word, count in active.values_list("priority").annotate(Count("pk"))}
    totals = BugReport.objects.aggregate(
        untriaged=Count("pk", filter=Q(status="open", triaged_at=None)),
        oldest_open=Min("submitted_at", filter=Q(status__in=["open", "in_progress"])),
        retained=Count("pk", filter=Q(retain=True)),
        last_day=Count("pk", filter=Q(submitted_at__gt=now - timedelta(days=1))),
    )
    oldest = totals.pop("oldest_open")
    last = PurgeRun.objects.exclude(status=PurgeRun.Status.RUNNING).first()
    return {
        "total": sum(by_status.values()),
        "by_status": by_status,
        "active_by_priority": by_priority,
        **totals,
        "regressed": active.regressed().count(),
        "oldest_active_seconds": round((now - oldest).total_seconds()) if oldest else 0,
        "expiring_soon": active.with_context_due_before(expiring_before(now)).count(),
        "expired_still_open": active.expired_but_active().count(),
        "files_waiting_for_removal": PendingFileDeletion.objects.count(),
        "notices_waiting": Notification.objects.filter(status=Notification.Status.WAITING).count(),
        "last_purge": {
            "at": format_timestamp(last.started_at), "status": last.status, "matched": last.matched,
            "deleted": last.deleted, "skipped": last.skipped, "expired": last.expired, "digest": last.digest,
        } if last else None,
    }  # fmt: skip
