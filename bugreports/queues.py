"""The triage queues and their counts."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from accounts.models import User
from bugreports.models import BugReport
from bugreports.querysets import BugReportQuerySet

COUNTED_ROWS = 1000  # counting stops here because each admin page shows these counts

UNTRIAGED, MINE, REGRESSED = "untriaged", "mine", "regressions"
EXPIRING, EXPIRED = "expiring", "expired"
QUEUES = (UNTRIAGED, MINE, REGRESSED, EXPIRING, EXPIRED)


def queue_reports(name: str, user: User, now: datetime, among: BugReportQuerySet | None = None) -> BugReportQuerySet:
    """Return the reports of one of QUEUES."""
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
    """Count the rows of each queue in one statement, up to COUNTED_ROWS + 1."""
    parts, params = [], []
    for name in QUEUES:
        sql, values = queue_reports(name, user, now).order_by().values("pk")[: COUNTED_ROWS + 1].query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS {name})")  # noqa: S608 - the SQL comes from querysets
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        return dict(zip(QUEUES, cursor.fetchone(), strict=True))
