"""Look up a report by id; filter, order and page reports by query parameters."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Case, IntegerField, Value, When

from api import pagination
from api.pagination import PageParams
from bugreports.errors import ReportNotFound
from bugreports.models import BugReport
from bugreports.querysets import BugReportQuerySet
from bugreports.report_ids import is_report_id
from bugreports.statuses import PRIORITIES
from common.datetimes import parse_datetime
from common.errors import InvalidInput
from common.text_validation import clean_text

_MAX_SEARCH_CHARS = 200
_DEFAULT_PER_PAGE, _MAX_PER_PAGE = 20, 100
_MAX_PAGE = 1_000_000
_ORDERS = {
    "submitted_at": ("submitted_at", "pk"),
    "updated_at": ("updated_at", "pk"),
    "last_seen_at": ("last_seen_at", "pk"),
    "occurrence_count": ("occurrence_count", "pk"),
}
_BY_PRIORITY = Case(
    *(When(priority=priority, then=Value(rank)) for rank, priority in enumerate(PRIORITIES)),
    default=Value(len(PRIORITIES)), output_field=IntegerField(),
)  # fmt: skip


def get_report(report_id: str, reports: BugReportQuerySet | None = None) -> BugReport:
    """Return the report. Raises ReportNotFound, also for malformed ids."""
    known = reports if reports is not None else BugReport.objects.all()
    report = known.filter(report_id=report_id).first() if is_report_id(report_id) else None
    if report is None:
        raise ReportNotFound("Bug report not found" if len(report_id) > 100 else f"Bug report {report_id!a} not found")
    return report


def parse_page_params(params: Mapping[str, str]) -> PageParams:
    """Parse `page` and `per_page`; invalid numbers become the default."""
    return pagination.parse_page_params(
        params,
        limit_name="per_page",
        default_limit=_DEFAULT_PER_PAGE,
        max_limit=_MAX_PER_PAGE,
        max_page=_MAX_PAGE,
        is_lenient=True,
    )


def filter_reports(params: Mapping[str, str]) -> BugReportQuerySet:
    """Filter by status, q, assignee, priority, fingerprint, trace_id, submitted_after, submitted_before; sort by order.

    An unknown status or priority matches no report. Raises InvalidInput for invalid timestamps and for invalid text.
    """
    reports = BugReport.objects.all()
    if status := _text(params, "status").lower():
        reports = reports.filter(status=status)
    if text := _text(params, "q"):
        reports = reports.matching(text)
    if assignee := _text(params, "assignee").lower():
        is_unassigned = assignee == "none"
        reports = reports.filter(assignee=None) if is_unassigned else reports.filter(assignee__email=assignee)
    if priority := _text(params, "priority").lower():
        reports = reports.filter(priority=None if priority == "none" else priority)
    for name in ("fingerprint", "trace_id"):
        if value := _text(params, name):
            reports = reports.filter(**{name: value})
    for name, lookup in (("submitted_after", "submitted_at__gte"), ("submitted_before", "submitted_at__lt")):
        if value := _text(params, name):
            reports = reports.filter(**{lookup: parse_timestamp(value, name)})
    return _ordered(reports, _text(params, "order"))


def _text(params: Mapping[str, Any], name: str) -> str:
    return clean_text(params.get(name) or "", field=name, max_length=_MAX_SEARCH_CHARS).strip()


def parse_timestamp(text: str, name: str) -> datetime:
    """Return a datetime, or midnight of a date; UTC without an offset. Raises InvalidInput."""
    try:
        return parse_datetime(text.replace(" ", "+"))  # a plus sign in a URL is decoded as a space
    except ValueError as error:
        raise InvalidInput(f"{name} must be a moment such as 2026-02-12T13:05:00Z", field=name) from error


def _ordered(reports: BugReportQuerySet, order: str) -> BugReportQuerySet:
    is_descending = order.startswith("-")
    name = order.lstrip("-")
    if name == "priority":
        by = _BY_PRIORITY.asc() if not is_descending else _BY_PRIORITY.desc()
        return reports.order_by(by, "-submitted_at", "-pk")
    fields = _ORDERS.get(name)
    if not fields:
        return reports.order_by("-submitted_at", "-pk")
    return reports.order_by(*(f"-{field}" if is_descending else field for field in fields))
