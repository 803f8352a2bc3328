"""What can go wrong with a report. `code` is what clients match on; `path` and `details` are told to them as well."""

from typing import Any

from common.errors import Conflict, InvalidInput, NotFound


class InvalidPayload(InvalidInput):
    """The document is not a report; `path` is the JSON pointer of what is wrong in it."""

    code = "invalid_bug_report_payload"

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class MissingPayload(InvalidInput):
    code = "missing_payload"


class PayloadNotObject(InvalidInput):
    code = "invalid_payload"


class DescriptionMissing(InvalidPayload):
    code = "missing_description"


class ReportNotFound(NotFound):
    code = "bug_report_not_found"


class ScreenshotNotFound(NotFound):
    code = "screenshot_not_found"


class UnknownAssignee(InvalidInput):
    """Reports are given to active staff only."""

    code = "assignee_unknown"


class InvalidStatus(InvalidInput):
    code = "invalid_status"


class TransitionNotAllowed(Conflict):
    """The table of moves does not know this one."""

    code = "invalid_status_transition"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class StaleReport(Conflict):
    """Somebody else changed it since it was looked at."""

    code = "report_changed"


class InvalidDuplicateLink(Conflict):
    """A report is no duplicate of itself, nor of its own duplicates."""

    code = "duplicate_refused"


class IdempotencyKeyReused(Conflict):
    """The idempotency key came before, with another report."""

    code = "idempotency_key_reused"


class PurgeInProgress(Conflict):
    code = "purge_under_way"


class PurgeTooLarge(Conflict):
    """Far more would be deleted than ever before: a wrong clock looks like this."""

    code = "purge_too_large"
