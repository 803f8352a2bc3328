"""Models of bug reports and purges."""

from bugreports.models.purges import PendingFileDeletion, PurgeRun
from bugreports.models.reports import (
    BugReport,
    BugReportContext,
    BugReportEvent,
    BugReportGroup,
    BugReportScreenshot,
)

__all__ = [
    "BugReport",
    "BugReportContext",
    "BugReportEvent",
    "BugReportGroup",
    "BugReportScreenshot",
    "PendingFileDeletion",
    "PurgeRun",
]  # fmt: skip
