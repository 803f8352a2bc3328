"""Other reports that may be about the same, each with the reason why it is shown."""

from dataclasses import dataclass

from django.db.models.functions import Upper

from bugreports.models import BugReport
from bugreports.querysets import BugReportQuerySet

_SHOWN = 8
_SHOWN_SIGHTINGS = 20
_COMPARED_CHARS = 100


@dataclass(frozen=True)
class RelatedReport:
    report: BugReport
    reason: str


def occurrences(report: BugReport) -> list[BugReport]:
    """Its duplicates: seen again, or merged; newest first."""
    return list(_light(BugReport.objects.filter(duplicate_of=report)).order_by("-submitted_at")[:_SHOWN_SIGHTINGS])


def find_related(report: BugReport) -> list[RelatedReport]:
    """Same fingerprint, same trace, similar words, same page; the strongest reason is given, each report once."""
    others = _light(BugReport.objects.exclude(pk=report.pk)).exclude(duplicate_of=report).order_by("-submitted_at")
    questions: list[tuple[str, BugReportQuerySet]] = []
    if report.fingerprint:
        questions.append(("same fingerprint", others.filter(fingerprint=report.fingerprint)))
    if report.trace_id:
        questions.append(("same trace", others.filter(trace_id=report.trace_id)))
    if len(report.first_line) >= 12:
        questions.append(("similar words", _with_words_like(others, report.first_line)))
    if report.route and report.route != "/":
        questions.append((f"same page {report.route}", others.active().filter(route=report.route)))
    found: dict[int, RelatedReport] = {}
    for reason, reports in questions:
        for other in reports[:_SHOWN]:
            found.setdefault(other.pk, RelatedReport(other, reason))
    return list(found.values())[:_SHOWN]


def _with_words_like(reports: BugReportQuerySet, line: str) -> BugReportQuerySet:
    """By the index of the capitals; trigrams know no case."""
    return reports.alias(capitals=Upper("description")).filter(capitals__trigram_word_similar=line[:_COMPARED_CHARS])


def _light(reports: BugReportQuerySet) -> BugReportQuerySet:
    return reports.only("report_id", "description", "status", "submitted_at", "submitted_by", "app_version")
