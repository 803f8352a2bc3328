"""Reports with all that belongs to them; what is told to the outside; runs of the purge."""

from bugreports.models.notices import Notice
from bugreports.models.purges import FileRemoval, PurgeRun
from bugreports.models.reports import (
    BugReport,
    BugReportContext,
    BugReportEvent,
    BugReportGroup,
    BugReportScreenshot,
)

__all__ = [
    "BugReport", "BugReportContext", "BugReportEvent", "BugReportGroup", "BugReportScreenshot", "FileRemoval", "Notice",
    "PurgeRun",
]  # fmt: skip
