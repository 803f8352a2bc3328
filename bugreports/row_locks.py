"""Lock report rows in primary-key order, so that concurrent callers cannot deadlock.

Order: the merge lock, then groups, then reports.
"""

from collections.abc import Iterable

from bugreports.errors import ReportNotFound, StaleReport
from bugreports.models import BugReport, BugReportGroup
from common.advisory_locks import lock_until_commit

_MERGE_LOCK = 0x6C696E6B


def acquire_merge_lock() -> None:
    """Serialize changes of duplicate links until the transaction ends. Call it before locking any row."""
    lock_until_commit(_MERGE_LOCK)


def lock_reports(report_ids: Iterable[str], *, version: int | None = None) -> list[BugReport]:
    """Lock and return the reports. If one is a duplicate, also lock its canonical report and the groups.

    Raises ReportNotFound, and StaleReport if `version` is given and is not the current one.
    """
    wanted = set(report_ids)
    rows = BugReport.objects.filter(report_id__in=wanted)
    has_links = rows.filter(duplicate_of__isnull=False).exists()
    if has_links:
        acquire_merge_lock()
    links = list(rows.values_list("pk", "duplicate_of_id"))
    canonical_reports = {canonical for _, canonical in links if canonical} if has_links else set()
    locked = lock_rows({pk for pk, _ in links} | canonical_reports, with_groups=has_links)
    reports = [report for report in locked if report.report_id in wanted]
    if missing := wanted - {report.report_id for report in reports}:
        raise ReportNotFound(f"Bug report {sorted(missing)[0]!a} not found")
    became_duplicate = not has_links and any(report.duplicate_of_id for report in reports)
    if became_duplicate or (version is not None and any(report.version != version for report in reports)):
        raise StaleReport("Somebody else changed this report meanwhile; look at it again")
    return reports


def lock_rows(pks: Iterable[int], *, with_groups: bool) -> list[BugReport]:
    """Lock reports in key order. `duplicate_of` is the same instance as the canonical report in the list."""
    pks = set(pks)
    if with_groups:
        lock_groups(pks)
    rows = BugReport.objects.select_for_update(of=("self",)).filter(pk__in=pks)
    reports = list(rows.select_related("assignee", "duplicate_of").order_by("pk"))
    by_pk = {report.pk: report for report in reports}
    for report in reports:
        if report.duplicate_of_id in by_pk:
            report.duplicate_of = by_pk[report.duplicate_of_id]
    return reports


def lock_groups(canonical_pks: Iterable[int]) -> None:
    list(BugReportGroup.objects.select_for_update().filter(canonical_report__in=list(canonical_pks)).order_by("pk"))
