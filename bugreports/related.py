"""Find similar reports, each with the reason."""

from dataclasses import dataclass

from django.db.models.functions import Upper

from bugreports.models import BugReport
from bugreports.querysets import BugReportQuerySet

_SHOWN = 8
_SHOWN_OCCURRENCES = 20
_COMPARED_CHARS = 100


@dataclass(frozen=True)
class RelatedReport:
    report: BugReport
    reason: str


def occurrences(report: BugReport) -> list[BugReport]:
    """Return the newest duplicates of a report."""
    return list(_light(BugReport.objects.filter(duplicate_of=report)).order_by("-submitted_at")[:_SHOWN_OCCURRENCES])


def find_related(report: BugReport) -> list[RelatedReport]:
    """Return reports with the same fingerprint, trace or page, or similar words; each once, with its strongest reason."""
    others = _light(BugReport.objects.exclude(pk=report.pk)).exclude(duplicate_of=report).order_by("-submitted_at")
    searches: list[tuple[str, BugReportQuerySet]] = []
    if report.fingerprint:
        searches.append(("same fingerprint", others.filter(fingerprint=report.fingerprint)))
    if report.trace_id:
        searches.append(("same trace", others.filter(trace_id=report.trace_id)))
    if len(report.first_line) >= 12:
        searches.append(("similar words", _with_words_like(others, report.first_line)))
    if report.route and report.route != "/":
        searches.append((f"same page {report.route}", others.active().filter(route=report.route)))
    found: dict[int, RelatedReport] = {}
    for reason, reports in searches:
        for other in reports[:_SHOWN]:
            found.setdefault(other.pk, RelatedReport(other, reason))
    return list(found.values())[:_SHOWN]


def _with_words_like(reports: BugReportQuerySet, line: str) -> BugReportQuerySet:
    """Use the trigram index on Upper(description)."""
    return reports.alias(capitals=Upper("description")).filter(capitals__trigram_word_similar=line[:_COMPARED_CHARS])


def _light(reports: BugReportQuerySet) -> BugReportQuerySet:
    return reports.only("report_id", "description", "status", "submitted_at", "submitted_by", "app_version")
