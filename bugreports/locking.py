"""Rows held until a transaction ends: groups before reports, each by their keys: no two callers wait for each other."""

from collections.abc import Iterable

from bugreports.errors import ReportChanged, ReportMissing
from bugreports.models import BugReport, BugReportGroup


def lock_reports(report_ids: Iterable[str], *, version: int | None = None) -> list[BugReport]:
    """Those named, with the reports they are duplicates of and the groups these lead held as well.

    Raises ReportMissing; ReportChanged where `version` is given and is not the present one.
    """
    wanted = set(report_ids)
    links = list(BugReport.objects.filter(report_id__in=wanted).values_list("pk", "duplicate_of_id"))
    leads = {lead for _, lead in links if lead}
    held = hold({pk for pk, _ in links} | leads, with_groups=bool(leads))
    reports = [report for report in held if report.report_id in wanted]
    if missing := wanted - {report.report_id for report in reports}:
        raise ReportMissing(f"Bug report {sorted(missing)[0]!a} not found")
    if version is not None and any(report.version != version for report in reports):
        raise ReportChanged("Somebody else changed this report meanwhile; look at it again")
    return reports


def hold(pks: Iterable[int], *, with_groups: bool) -> list[BugReport]:
    """Each report with the very row of its lead where that is among them, so that both see the same changes."""
    pks = set(pks)
    if with_groups:
        list(BugReportGroup.objects.select_for_update().filter(lead__in=pks).order_by("pk"))
    rows = BugReport.objects.select_for_update(of=("self",)).filter(pk__in=pks)
    reports = list(rows.select_related("assignee", "duplicate_of").order_by("pk"))
    by_pk = {report.pk: report for report in reports}
    for report in reports:
        if report.duplicate_of_id in by_pk:
            report.duplicate_of = by_pk[report.duplicate_of_id]
    return reports
