"""Export reports as JSON or Markdown. Stored reports are redacted already."""

import json
from collections.abc import Iterator

from bugreports.models import BugReport
from bugreports.querysets import BugReportQuerySet
from bugreports.serialization import prefetch_detail, serialize_detail

_BATCH = 100


def export_reports(reports: BugReportQuerySet) -> Iterator[str]:
    """Yield a JSON array of details in pieces, so that memory does not grow with the number of reports."""
    before = "["
    for report in prefetch_detail(reports).iterator(chunk_size=_BATCH):
        yield before + json.dumps(serialize_detail(report))
        before = ",\n"
    yield "[]\n" if before == "[" else "]\n"


def as_markdown(report: BugReport) -> str:
    """Return a report as Markdown for an issue tracker, without logs and screenshot."""
    parts = [f"## {_plain(report.first_line)}", "", _quoted(report.description)]
    for title, text in (("Expected", report.expected_behavior), ("Actual", report.actual_behavior)):
        if text:
            parts += ["", f"**{title}**", "", _quoted(text)]
    if report.steps_to_reproduce:
        parts += ["", "**Steps**", ""]
        parts += [f"{number}. {_plain(step)}" for number, step in enumerate(report.steps_to_reproduce, 1)]
    facts = (("Report", report.report_id), ("Trace", report.trace_id), ("Version", report.app_version),
             ("Route", report.route), ("Seen", f"{report.occurrence_count} times"))  # fmt: skip
    parts += ["", *(f"- {name}: `{value}`" for name, value in facts if value)]
    return "\n".join(parts) + "\n"


def _quoted(text: str) -> str:
    """Return a code block whose fence is longer than any in `text`."""
    fence = "`" * max(3, *(len(run) + 1 for run in _runs(text)))
    return f"{fence}\n{text}\n{fence}"


def _runs(text: str) -> list[str]:
    return ["", ""] + ["`" * length for length in range(3, 12) if "`" * length in text]


def _plain(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#!|" else letter for letter in " ".join(text.split()))
