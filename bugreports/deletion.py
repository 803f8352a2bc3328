"""Delete reports with their files."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from bugreports.audit_log import Actor
from bugreports.file_cleanup import delete_pending_files, schedule_file_deletion
from bugreports.models import BugReport, BugReportScreenshot
from bugreports.row_locks import acquire_merge_lock, lock_groups, lock_reports

log = logging.getLogger(__name__)


@transaction.atomic
def delete_reports(report_ids: Sequence[str], *, by: Actor, now: datetime) -> int:
    """Delete reports permanently, retained ones included. Raises ReportNotFound."""
    acquire_merge_lock()
    lock_groups(BugReport.objects.filter(report_id__in=report_ids).values_list("pk", flat=True))
    reports = lock_reports(report_ids)
    pks = [report.pk for report in reports]
    keys = list(BugReportScreenshot.objects.filter(report__in=pks).values_list("key", flat=True))
    delete_rows(pks, keys, now)
    if keys:
        transaction.on_commit(delete_pending_files, robust=True)
    log.warning("bug reports deleted", extra={"reports": [r.report_id for r in reports], "by": by.name})
    return len(reports)


def delete_rows(pks: Sequence[int], keys: Sequence[str], now: datetime) -> None:
    """Delete locked reports and record their files for deletion."""
    schedule_file_deletion(keys, now)
    BugReport.objects.filter(pk__in=pks).delete()
