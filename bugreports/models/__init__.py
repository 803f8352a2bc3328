"""Reports with all that belongs to them; what is told to the outside; runs of the purge."""

from bugreports.models.notifications import Notification
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
    "Notification",
    "PendingFileDeletion",
    "PurgeRun",
]  # fmt: skip
