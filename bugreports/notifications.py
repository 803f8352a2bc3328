"""Webhooks and mail digests about bug reports, delivered by `notifications`.

Webhooks contain ids and counts only. Mails contain first lines, which their recipients may read in the admin.
"""

import hashlib
import hmac
import json
from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail

from accounts.models import User
from bugreports.models import BugReport
from common.timestamps import format_timestamp
from notifications.models import Notification
from notifications.outbox import enqueue
from outbound import FetchPolicy, check_url, post

WEBHOOK, DIGEST = "webhook", "digest"
_SHOWN_IN_DIGEST = 20


def enqueue_webhook(event: str, report: BugReport, *, now: datetime) -> None:
    """Store a webhook in the transaction of the change. Does nothing if no webhook is configured."""
    if not (settings.BUGREPORTS_WEBHOOK_URL and settings.BUGREPORTS_WEBHOOK_SECRET):
        return
    body = {
        "event": f"bug_report.{event}",
        "report_id": report.report_id,
        "at": format_timestamp(now),
        "status": report.status,
        "priority": report.priority,
        "fingerprint": report.fingerprint,
        "occurrence_count": report.occurrence_count,
        "url": f"{settings.PUBLIC_BASE_URL}/api/bug-reports/{report.report_id}",
    }
    enqueue(WEBHOOK, f"{event}:{report.report_id}:{report.version}", body, now=now)


def enqueue_digests(now: datetime) -> int:
    """Store one digest a day for each user with active reports. Return the number of these users."""
    if not settings.BUGREPORTS_DIGEST_EMAIL_ENABLED:
        return 0
    users = User.objects.filter(is_active=True, assigned_bug_reports__in=BugReport.objects.active()).distinct()
    for user in users:
        enqueue(DIGEST, f"digest:{now:%Y-%m-%d}:{user.pk}", {"user": user.pk}, now=now)
    return len(users)


def deliver_webhook(notification: Notification, now: datetime) -> None:
    """Post the signed body to BUGREPORTS_WEBHOOK_URL."""
    url = settings.BUGREPORTS_WEBHOOK_URL
    body = json.dumps(notification.body, sort_keys=True, separators=(",", ":")).encode()
    timestamp = str(int(now.timestamp()))
    host = check_url(url).host
    headers = {
        "Content-Type": "application/json",
        "X-Registry-Event": notification.body["event"],
        "X-Registry-Delivery": str(notification.pk),  # equal in all attempts, so that receivers can drop repeats
        "X-Registry-Timestamp": timestamp,
        "X-Registry-Signature": f"sha256={sign(timestamp, body, settings.BUGREPORTS_WEBHOOK_SECRET)}",
    }
    post(url, body, headers, FetchPolicy(is_allowed_host=lambda name: name == host, total_seconds=10, accept="*/*"))


def sign(timestamp: str, body: bytes, secret: str) -> str:
    """Return the HMAC-SHA-256 of `timestamp.body` in hex."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def deliver_digest(notification: Notification, now: datetime) -> None:
    """Mail a user's active reports. Sends nothing if there are none any more."""
    user = User.objects.filter(pk=notification.body["user"], is_active=True).first()
    reports = list(BugReport.objects.assigned_to(user).order_by("submitted_at")) if user else []
    if not user or not reports:
        return
    lines = [
        f"{report.report_id}  {report.status}  {report.priority or 'no priority'}  {report.first_line[:80]}"
        for report in reports[:_SHOWN_IN_DIGEST]
    ]
    if len(reports) > _SHOWN_IN_DIGEST:
        lines.append(f"... and {len(reports) - _SHOWN_IN_DIGEST} more")
    lines += ["", f"{settings.PUBLIC_BASE_URL}/admin/bugreports/bugreport/?queue=mine"]
    subject = f"{len(reports)} bug report{'s' if len(reports) > 1 else ''} assigned to you"
    send_mail(subject, "\n".join(lines), settings.DEFAULT_FROM_EMAIL, [user.email])
