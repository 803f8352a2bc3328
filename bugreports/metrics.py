"""Queues of bug reports and their counts, and metrics for operators."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q

from accounts.models import User
from bugreports.models import BugReport, Notification, PendingFileDeletion, PurgeRun
from bugreports.querysets import BugReportQuerySet
from bugreports.statuses import STATUSES
from common.timestamps import format_timestamp

COUNTED_ROWS = 1000  # limit of exact counts, because each admin page pays for them

UNTRIAGED, MINE, REGRESSED = "untriaged", "mine", "regressions"
EXPIRING, EXPIRED = "expiring", "expired"
QUEUES = (UNTRIAGED, MINE, REGRESSED, EXPIRING, EXPIRED)


def queue_reports(name: str, user: User, now: datetime, among: BugReportQuerySet | None = None) -> BugReportQuerySet:
    """Return the reports of a queue in QUEUES."""
    reports = BugReport.objects.all() if among is None else among
    if name == UNTRIAGED:
        return reports.untriaged()
    if name == MINE:
        return reports.assigned_to(user)
    if name == REGRESSED:
        return reports.regressed()
    if name == EXPIRED:
        return reports.expired_but_active()
    return reports.with_context_due_before(expiring_before(now))


def expiring_before(now: datetime) -> datetime:
    """Return the submission time before which reports expire within BUGREPORTS_EXPIRING_DAYS."""
    days = settings.BUGREPORTS_RETENTION_DAYS - settings.BUGREPORTS_EXPIRING_DAYS
    return now - timedelta(days=days) if settings.BUGREPORTS_RETENTION_DAYS > 0 else now - timedelta(days=36_500)


def count_queues(user: User, now: datetime) -> dict[str, int]:
    """Count the rows of each queue in one query, up to COUNTED_ROWS + 1."""
    columns, params = [], []
    for name in QUEUES:
        sql, values = queue_reports(name, user, now).order_by().values("pk")[: COUNTED_ROWS + 1].query.sql_with_params()
        columns.append(f"(SELECT count(*) FROM ({sql}) AS {name})")  # noqa: S608 - SQL of querysets, no input
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)}", params)
        return dict(zip(QUEUES, cursor.fetchone(), strict=True))


def report_metrics(now: datetime) -> dict[str, Any]:
    """Return counts by status, priority and queue, the age of the oldest active report and the last purge."""
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
