"""Submit a report: sanitize, group and store it. The document as sent is never stored or logged."""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from bugreports.audit_log import Actor, build_event, save_events
from bugreports.errors import IdempotencyKeyReused
from bugreports.fingerprint import ErrorSignature, extract_signature, normalize_route
from bugreports.grouping import assign_to_group
from bugreports.models import BugReport, BugReportContext, BugReportScreenshot
from bugreports.notifications import enqueue_webhook
from bugreports.redaction.keys import SecretKeyRules
from bugreports.report_ids import generate_report_id
from bugreports.sanitization import Limits, SanitizedReport, sanitize
from bugreports.screenshots import store_screenshot
from bugreports.submission import Submission, parse_submission
from common.advisory_locks import lock_until_commit

log = logging.getLogger(__name__)

SUBMITTED = "submitted"
_ID_TRIES = 5


@dataclass(frozen=True)
class SubmissionReceipt:
    report_id: str
    trace_id: str
    is_duplicate: bool = False

    @property
    def stored_at(self) -> str:
        return f"database:bug_reports:{self.report_id}"


def submit_report(
    document: object, *, submitted_by: str, trace_id: str, idempotency_key: str | None = None, now: datetime
) -> SubmissionReceipt:
    """Store a sanitized report and return its receipt. A screenshot that fails is left out; the report is still stored.

    Raises PayloadNotObject, InvalidPayload, IdempotencyKeyReused.
    """
    sent = parse_submission(document)
    safe = sanitize(sent, rules=key_rules(), masks_emails=settings.BUGREPORTS_MASK_EMAILS, limits=_limits())
    if safe.failed:
        log.error("bug report redaction failed", extra={"paths": list(safe.failed), "trace_id": trace_id})
    content_sha256 = _content_sha256(safe, sent)
    key_sha256 = hashlib.sha256(idempotency_key.encode("utf-8", "replace")).hexdigest() if idempotency_key else None
    repeated = find_duplicate_submission(submitted_by, content_sha256, key_sha256, now)
    if repeated:
        return repeated
    report = _new_report(safe, submitted_by=submitted_by, trace_id=trace_id, now=now)
    report.content_sha256, report.idempotency_sha256 = content_sha256, key_sha256
    screenshot, error = store_screenshot(sent.screenshot, report.report_id, now=now)
    report.screenshot_error = error or safe.screenshot_error
    signature = extract_signature(
        description=safe.description,
        location=str(safe.client_meta.get("locationHref", "")),
        recent_logs=safe.recent_logs,
        network_events=safe.network_events,
    )
    return _store_report(report, safe, screenshot, signature, now=now)


def key_rules() -> SecretKeyRules:
    return _rules(tuple(settings.BUGREPORTS_SECRET_KEYS), tuple(settings.BUGREPORTS_SAFE_KEYS))


def find_duplicate_submission(
    submitted_by: str, content_sha256: str, key_sha256: str | None, now: datetime
) -> SubmissionReceipt | None:
    """Return the receipt of an equal report by the same user, found by its key or by recent equal content.

    Raises IdempotencyKeyReused if the key was sent with different content.
    """
    own = BugReport.objects.filter(submitted_by=submitted_by)
    if key_sha256:
        first = own.filter(idempotency_sha256=key_sha256).first()
        if first and first.content_sha256 != content_sha256:
            raise IdempotencyKeyReused("This idempotency key was used for another report")
        if first:
            return SubmissionReceipt(first.report_id, first.trace_id or "", is_duplicate=True)
    since = now - timedelta(seconds=settings.BUGREPORTS_DEDUPLICATION_SECONDS)
    # A different key marks a different report, even with equal content.
    recent = own.filter(submitted_at__gt=since, content_sha256=content_sha256)
    first = (recent.filter(idempotency_sha256=None) if key_sha256 else recent).order_by("submitted_at").first()
    return SubmissionReceipt(first.report_id, first.trace_id or "", is_duplicate=True) if first else None


@transaction.atomic
def _store_report(
    report: BugReport,
    safe: SanitizedReport,
    screenshot: BugReportScreenshot | None,
    signature: ErrorSignature | None,
    *,
    now: datetime,
) -> SubmissionReceipt:
    _lock_submitter(report.submitted_by or "")
    repeated = find_duplicate_submission(
        report.submitted_by or "", report.content_sha256, report.idempotency_sha256, now
    )
    if repeated:  # concurrent submission; the orphan sweep deletes the screenshot just stored
        return repeated
    match = assign_to_group(report, signature, now=now)
    _insert(report)
    BugReportContext.objects.create(
        report=report,
        environment=safe.environment,
        client_meta=safe.client_meta,
        app_state=safe.app_state,
        recent_logs=safe.recent_logs,
        network_events=safe.network_events,
        redactions=[asdict(redaction) for redaction in safe.redactions],
        dropped=safe.dropped,
    )
    if screenshot:
        screenshot.report = report
        screenshot.save(force_insert=True)
    first = build_event(report, SUBMITTED, {"source": "api"}, by=Actor(report.submitted_by), now=now)
    save_events([first, *match.apply(report, now=now)])
    enqueue_webhook(SUBMITTED, report, now=now)
    log.info(
        "bug report stored",
        extra={
            "report_id": report.report_id,
            "redactions": report.redaction_count,
            "recurs": match.canonical_report is not None,
        },
    )
    return SubmissionReceipt(report.report_id, report.trace_id or "")


def _insert(report: BugReport) -> None:
    """Save the report. Retries with a new id on a collision of the four random digits."""
    for tries_left in reversed(range(_ID_TRIES)):
        try:
            with transaction.atomic():
                report.save(force_insert=True)
        except IntegrityError as error:
            if "report_id" not in str(error) or not tries_left:
                raise
            report.report_id = generate_report_id(report.trace_id or "", report.submitted_at)
        else:
            return


def _lock_submitter(submitted_by: str) -> None:
    """Serialize submissions of one user, so that the second of two equal reports finds the first."""
    lock_until_commit(f"bugreports:{submitted_by}")


def _new_report(safe: SanitizedReport, *, submitted_by: str, trace_id: str, now: datetime) -> BugReport:
    return BugReport(
        report_id=generate_report_id(trace_id, now),
        trace_id=trace_id,
        submitted_by=submitted_by,
        submitted_at=now,
        last_seen_at=now,
        created_at=now,
        updated_at=now,
        description=safe.description,
        expected_behavior=safe.expected_behavior,
        actual_behavior=safe.actual_behavior,
        steps_to_reproduce=safe.steps_to_reproduce,
        app_version=str(safe.environment.get("appVersion") or "")[:100],
        route=normalize_route(str(safe.client_meta.get("locationHref", "")))[:300],
        has_recent_logs=bool(safe.recent_logs),
        has_network_events=bool(safe.network_events),
        redaction_count=safe.redaction_count,
    )


def _content_sha256(safe: SanitizedReport, sent: Submission) -> str:
    """Hash user input and location, not logs: a second click adds the request of the first to the logs."""
    content = [
        safe.description, safe.expected_behavior, safe.actual_behavior, safe.steps_to_reproduce, safe.environment,
        safe.client_meta, sent.screenshot_error,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "replace")).hexdigest()


def _limits() -> Limits:
    return Limits(
        max_logs=settings.BUGREPORTS_MAX_LOGS,
        max_network_events=settings.BUGREPORTS_MAX_NETWORK_EVENTS,
        max_body_chars=settings.BUGREPORTS_MAX_BODY_CHARS,
    )


_rules_cache: dict[tuple[tuple[str, ...], tuple[str, ...]], SecretKeyRules] = {}


def _rules(extra: tuple[str, ...], safe: tuple[str, ...]) -> SecretKeyRules:
    if (extra, safe) not in _rules_cache:
        _rules_cache[extra, safe] = SecretKeyRules(frozenset(extra), frozenset(safe))
    return _rules_cache[extra, safe]
