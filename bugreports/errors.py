"""Errors of bug reports. Clients match on `code`; responses also contain `path` and `details`."""

from typing import Any

from common.errors import Conflict, InvalidInput, NotFound


class InvalidPayload(InvalidInput):
    """The document is no report; `path` is a JSON pointer to the invalid value."""

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
    """Only active staff can be assignees."""

    code = "assignee_unknown"


class InvalidStatus(InvalidInput):
    code = "invalid_status"


class TransitionNotAllowed(Conflict):
    """The status cannot change this way, see `statuses`."""

    code = "invalid_status_transition"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class StaleReport(Conflict):
    """The report changed after the caller read it."""

    code = "report_changed"


class InvalidDuplicateLink(Conflict):
    """A report is no duplicate of itself, nor of its own duplicates."""

    code = "duplicate_refused"


class IdempotencyKeyReused(Conflict):
    """The idempotency key was used for another report."""

    code = "idempotency_key_reused"


class PurgeInProgress(Conflict):
    code = "purge_under_way"


class PurgeTooLarge(Conflict):
    """A scheduled purge would delete far more than any before, as with a wrong system time."""

    code = "purge_too_large"
